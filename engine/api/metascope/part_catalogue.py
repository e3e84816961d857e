"""The catalogue as objects: shelves of parts that experiments choose from."""

import difflib
import functools
import html
import inspect
from collections.abc import Iterator
from typing import Any, Literal

from engine.contract.cards import Card, complete_knobs
from engine.contract.errors import Refused
from engine.contract.knobs import KnobCard
from engine.contract.registration import SLOTS
from engine.contract.run_spec import Choice, LearnerChoice, ShiftChoice

_TYPES = {"bool": bool, "int": int, "float": float, "text": str}


class PartEntry:
    """A part that an experiment can use; call it with its settings to choose it.

    Attributes:
        card: All that is known of it: `title`, `summary`, `equation`, `source`,
            `differs`, `helps`, `knobs`, `version`, `solves`, `code`.
        name: Its name in specs.

    Example:
        >>> import metascope as ms
        >>> maml = ms.catalogue().learners.maml
        >>> maml(inner_steps=3).knobs
        {'inner_steps': 3}
        >>> maml(inner_stps=3)
        Traceback (most recent call last):
        engine.contract.errors.Refused: MAML has no knob 'inner_stps'; did you mean \
'inner_steps'?
    """

    def __init__(self, card: Card) -> None:
        self.card = card
        self.name = card.name
        self.__name__ = card.name
        self.__doc__ = _describe(card)
        self.__signature__ = _signature(card)

    def __call__(
        self,
        *severities: float,
        label: str = "",
        role: Literal["chosen", "baseline"] = "chosen",
        **knobs: Any,
    ) -> Choice:
        """Choose this part.

        Args:
            *severities: Of a shift alone, in its own unit; those that it declares if
                none is given.
            label: Of a learner alone: its name in results; the part's own if empty.
            role: Of a learner alone: `chosen`, or `baseline` to compare with.
            **knobs: Settings that differ from the default.

        Returns:
            What `metascope.spec` and `metascope.run` take in the part's slot.

        Raises:
            Refused: If there is no such setting, or it does not allow that value.
        """
        self._refuse_foreign(severities, label)
        complete_knobs(self.card, knobs)
        if self.card.slot == "shift":
            return ShiftChoice(name=self.name, severities=severities, knobs=knobs)
        if self.card.slot == "learner":
            return LearnerChoice(name=self.name, knobs=knobs, label=label, role=role)
        return Choice(name=self.name, knobs=knobs)

    def _refuse_foreign(self, severities: tuple[float, ...], label: str) -> None:
        slot = self.card.slot
        if severities and slot != "shift":
            raise Refused(
                f"{self.name} takes its settings by name, such as "
                f"{next((k.name for k in self.card.knobs), 'label')}=…, not by place; "
                "only a shift takes severities so",
                slot,
            )
        if label and slot != "learner":
            raise Refused(f"only a learner has a label; {self.name} is a {slot}", slot)

    def __repr__(self) -> str:
        return f"<{self.card.slot} {self.name}: {self.card.title}>"

    def _repr_html_(self) -> str:
        card = self.card
        rows = "".join(_knob_row(knob) for knob in card.knobs)
        return (
            f"<b>{html.escape(card.title)}</b> (<code>{html.escape(card.name)}</code>, "
            f"{card.slot})<br>{html.escape(card.summary)}<br>"
            f"<code>{html.escape(card.equation)}</code>"
            "<table><tr><th>setting</th><th>default</th><th>range</th><th></th></tr>"
            f"{rows}</table>"
        )


class Shelf:
    """All parts of one slot, as attributes and by name.

    Example:
        >>> import metascope as ms
        >>> shelf = ms.catalogue().families
        >>> "sinusoids" in shelf, shelf.sinusoids is shelf["sinusoids"]
        (True, True)
    """

    def __init__(self, slot: str, cards: list[Card]) -> None:
        self._slot = slot
        self._entries = {card.name: PartEntry(card) for card in cards}

    def __getitem__(self, name: str) -> PartEntry:
        if name in self._entries:
            return self._entries[name]
        near = difflib.get_close_matches(name, self._entries, 2)
        hint = (
            f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"list(metascope.catalogue().{SHELVES[self._slot]}) lists all "
            f"{len(self)}"
        )
        raise Refused(f"no {self._slot} is called {name[:40]!r}; {hint}", self._slot)

    def __getattr__(self, name: str) -> PartEntry:
        if name.startswith("_"):  # pickling and IPython ask for private names
            raise AttributeError(name)
        try:
            return self[name]
        except Refused as refusal:
            raise AttributeError(refusal.message) from None

    def __dir__(self) -> list[str]:
        return sorted(self._entries)

    def _ipython_key_completions_(self) -> list[str]:
        return sorted(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{len(self)} {SHELVES[self._slot]}: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><code>{html.escape(e.name)}</code></td>"
            f"<td>{html.escape(e.card.title)}</td>"
            f"<td style='text-align:left'>{html.escape(e.card.summary)}</td></tr>"
            for e in self._entries.values()
        )
        return f"<table><tr><th>name</th><th>title</th><th></th></tr>{rows}</table>"


# Names of the shelves, by the slot of a spec.
SHELVES = {
    slot: folder if slot != "family" else "families" for slot, folder in SLOTS.items()
}


class Catalogue:
    """All parts that an experiment can be made of, a shelf for each slot.

    Attributes:
        families: Families of tasks.
        learners: Learners, meta-trained ones and baselines.
        nets: Base nets.
        shifts: Distribution shifts.
        estimators: Gradient estimators of learned optimizers.
        outers: Outer optimizers.
    """

    families: Shelf
    learners: Shelf
    nets: Shelf
    shifts: Shelf
    estimators: Shelf
    outers: Shelf

    def __init__(self, cards: list[Card]) -> None:
        for slot, name in SHELVES.items():
            held = [card for card in cards if card.slot == slot]
            setattr(self, name, Shelf(slot, held))

    def __repr__(self) -> str:
        counts = (f"{len(getattr(self, n))} {n}" for n in SHELVES.values())
        return f"<catalogue: {', '.join(counts)}>"


def catalogue() -> Catalogue:
    """Return all parts that an experiment can be made of.

    Returns:
        Shelves with completion: `catalogue().learners.maml`. The first call takes
        seconds, as it imports every part.

    Example:
        >>> import metascope as ms
        >>> ms.catalogue().shifts.stretch(0.5, 1.0).severities
        (0.5, 1.0)
    """
    # Parts of a notebook come later, so what is cached goes by what is registered.
    from engine.catalogue import discover_parts
    from engine.contract import registry

    discover_parts()
    return _make_catalogue(tuple(registry.parts()))


@functools.lru_cache(maxsize=2)
def _make_catalogue(parts: tuple[type, ...]) -> Catalogue:
    from engine.catalogue import find_card

    return Catalogue([find_card(part.slot, part.name) for part in parts])  # type: ignore[attr-defined]


def _signature(card: Card) -> inspect.Signature:
    """Return the settings as keyword arguments, for completion and help."""
    kind = inspect.Parameter.KEYWORD_ONLY
    found = [
        inspect.Parameter(
            knob.name,
            kind,
            default=knob.default,
            annotation=_TYPES.get(knob.kind, inspect.Parameter.empty),
        )
        for knob in card.knobs
    ]
    if card.slot == "learner":
        known = {knob.name for knob in card.knobs}
        extra = [n for n in ("label", "role") if n not in known]
        found += [inspect.Parameter(n, kind, default="") for n in extra]
    if card.slot == "shift":
        found.insert(
            0, inspect.Parameter("severities", inspect.Parameter.VAR_POSITIONAL)
        )
    return inspect.Signature(found)


def _describe(card: Card) -> str:
    """Return a part's docstring: title, equation and settings."""
    lines = [f"{card.title}: {card.summary}", "", card.equation]
    if card.knobs:
        lines += ["", "Settings:"]
    for knob in card.knobs:
        lines.append(f"    {knob.name}: {knob.help} Default: {knob.default!r}.")
    if card.source:
        lines += ["", f"Source: {card.source}"]
    return "\n".join(lines)


def _knob_row(knob: KnobCard) -> str:
    span = ", ".join(map(str, knob.choices))
    if knob.low is not None or knob.high is not None:
        span = f"{knob.low:g} to {knob.high:g} {knob.unit}"
    cells = (knob.name, repr(knob.default), span.strip(), knob.help)
    return f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in cells)}</tr>"
