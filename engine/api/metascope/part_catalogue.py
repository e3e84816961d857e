"""The catalogue as objects: shelves of parts that experiments choose from."""

import difflib
import functools
import html
import inspect
from collections.abc import Iterator
from typing import Any, Literal, SupportsFloat, get_args

from engine.contract.cards import Card, complete_knobs
from engine.contract.errors import Refused
from engine.contract.knobs import KnobCard
from engine.contract.registration import SLOTS
from engine.contract.run_spec import Choice, LearnerChoice, ShiftChoice
from metascope.arguments import UnknownName, as_text, show

Role = Literal["chosen", "baseline"]
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
        role: Role = "chosen",
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
        self._refuse_foreign(severities, as_text("label", label))
        complete_knobs(self.card, knobs)
        if role not in get_args(Role):
            known = " or ".join(map(repr, get_args(Role)))
            raise Refused(f"role must be {known}, not {show(role)}", "role")
        if self.card.slot == "shift":
            strengths = tuple(map(self._read_severity, severities))
            return ShiftChoice(name=self.name, severities=strengths, knobs=knobs)
        if self.card.slot == "learner":
            return LearnerChoice(name=self.name, knobs=knobs, label=label, role=role)
        return Choice(name=self.name, knobs=knobs)

    def _read_severity(self, given: object) -> float:
        number = isinstance(given, SupportsFloat) and not isinstance(given, (str, bool))
        if number and getattr(given, "ndim", 0) == 0:
            return float(given)  # type: ignore[arg-type]
        raise Refused(
            f"severities are numbers, one after the other, such as {self.name}(0.5, "
            f"1.0), not {show(given)}",
            "severities",
        )

    def __getattr__(self, name: str) -> Any:
        """Return a field of the card, such as `title` or `knobs`."""
        if not name.startswith("_") and name in Card.model_fields:
            return getattr(self.card, name)
        raise AttributeError(
            f"{self.name!r} has no {name!r}; call it with its settings, such as "
            f"{self.name}(…), or look at its `card`"
            if "card" in vars(self)
            else name
        )

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
        if isinstance(name, str) and name in self._entries:
            return self._entries[name]
        near = difflib.get_close_matches(str(name), self._entries, 2)
        hint = (
            f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"list(metascope.catalogue().{SHELVES[self._slot]}) lists all "
            f"{len(self)}"
        )
        raise UnknownName(f"no {self._slot} is called {show(name)}; {hint}", self._slot)

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

    def __getitem__(self, name: str) -> PartEntry:
        """Return the part of a name, whatever its shelf.

        Raises:
            Refused: If there is none, or two shelves have one of this name.
        """
        where = [shelf for shelf in SHELVES.values() if name in getattr(self, shelf)]
        if len(where) == 1:
            found: PartEntry = getattr(self, where[0])[name]
            return found
        raise UnknownName(self._explain_unknown(name, where), "name")

    def __getattr__(self, name: str) -> Shelf:
        """Say where to look for what is no shelf.

        Raises:
            AttributeError: Always; it is called for unknown names alone.
        """
        if name.startswith("_"):  # pickling and IPython ask for private names
            raise AttributeError(name)
        where = [s for s in SHELVES.values() if name in vars(self).get(s, ())]
        raise AttributeError(self._explain_unknown(name, where))

    def _explain_unknown(self, name: str, where: list[str]) -> str:
        if where:
            calls = " and ".join(f"catalogue().{shelf}.{name}" for shelf in where)
            return f"the catalogue has {name!r} on a shelf: {calls}"
        shelves = list(SHELVES.values())
        known = [*shelves, *(n for s in shelves for n in getattr(self, s))]
        near = difflib.get_close_matches(str(name), known, 2)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        return (
            f"the catalogue has no {show(name)}; {hint}its shelves are "
            f"{', '.join(shelves)}"
        )

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
