"""Experiments as values: the shipped ones, and specs made from keyword arguments."""

import functools
import html
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metascope.part_catalogue import PartEntry

from engine.contract.cards import Card, find_nearest_name
from engine.contract.effort import Effort, effort_of, with_effort
from engine.contract.errors import Refused
from engine.contract.kinds import kind_named
from engine.contract.parsing import parse_spec
from engine.contract.run_facts import Question, make_facts
from engine.contract.run_keys import run_key
from engine.contract.run_spec import (
    MOST_REPLICATES,
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    kind_of_family,
)
from engine.contract.sweep_grid import with_values

_PARTS = ("family", "net", "estimator", "outer")
_LISTS = ("learners", "baselines", "shifts", "test_families")
_NUMBERS = ("seed", "device", "compile", "rival", "first_replicate")
_ALLOWED = (*_PARTS, "learner", *_LISTS, "budget", "effort", "replicates", *_NUMBERS)


@dataclass(frozen=True)
class Preset:
    """A shipped experiment.

    Attributes:
        name: Its name in `metascope.run` and `metascope.spec`.
        title: What the lab calls it.
        summary: One line: what it shows.
        kind: Its kind of task.
    """

    name: str
    title: str
    summary: str
    kind: str

    def __repr__(self) -> str:
        return f"<preset {self.name}: {self.title}>"


class Presets(Mapping[str, Preset]):
    """The shipped experiments, by name and as attributes."""

    def __init__(self, held: dict[str, Preset]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> Preset:
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __getattr__(self, name: str) -> Preset:
        if name in vars(self).get("_held", {}):
            return self._held[name]
        raise AttributeError(f"no preset is called {name!r}")

    def __dir__(self) -> list[str]:
        return [*self._held, *super().__dir__()]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._held)

    def __repr__(self) -> str:
        return "\n".join(f"{p.name:28} {p.title}" for p in self._held.values())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><code>{html.escape(p.name)}</code></td><td>{p.kind}</td>"
            f"<td style='text-align:left'><b>{html.escape(p.title)}</b><br>"
            f"{html.escape(p.summary)}</td></tr>"
            for p in self._held.values()
        )
        return f"<table><tr><th>name</th><th>kind</th><th></th></tr>{rows}</table>"


@functools.cache
def presets() -> Presets:
    """Return the shipped experiments.

    Returns:
        By name, with completion: `presets().default` or `presets()["default"]`.

    Example:
        >>> import metascope as ms
        >>> ms.presets()["smoke"]
        <preset smoke: A few seconds, to see that everything works>
    """
    from engine.catalogue import find_card
    from engine.presets import PRESETS

    return Presets(
        {
            p.name: Preset(
                p.name, p.title, p.summary, kind_of_family(p.spec, find_card)
            )
            for p in PRESETS
        }
    )


@dataclass(frozen=True)
class Spec:
    """An experiment, complete and checked; the same spec gives the same numbers.

    Attributes:
        asked: What was asked for; what it leaves out follows from the parts.
        full: With every setting, for this machine's device.
    """

    asked: RunSpec
    full: RunSpec

    @functools.cached_property
    def key(self) -> str:
        """Return the key that its results are stored under; 64 hex digits."""
        return run_key(self.full, _find_card)

    @property
    def question(self) -> str:
        """Return what it compares, in words."""
        asked = make_facts(self.full.model_dump(mode="json")).question
        return Question(*asked).in_words()

    def to_json(self) -> str:
        """Return the complete spec as JSON, which `python -m metascope run` takes."""
        return json.dumps(self.full.model_dump(mode="json"), indent=2, sort_keys=True)

    def save(self, path: str | Path) -> Path:
        """Write the complete spec as JSON.

        Args:
            path: The file, such as `mine.json`; it is replaced.
        """
        file = Path(path)
        file.write_text(self.to_json() + "\n", encoding="utf-8")
        return file

    def _facts(self) -> dict[str, str]:
        spec = self.full
        roles = {r: [c for c in spec.learners if c.role == r] for r in _ROLES}
        facts = {
            "question": self.question,
            "family": _show(spec.family),
            **{name: ", ".join(map(_show, held)) for name, held in roles.items()},
            "shifts": ", ".join(f"{s.name} {list(s.severities)}" for s in spec.shifts),
            "net": _show(spec.net),
            "budget": ", ".join(f"{k} = {v}" for k, v in spec.budget),
            "replicates": f"{spec.replicates}, {effort_of(spec)}",
            "seed": str(spec.seed),
            "key": self.key[:12],
        }
        return {name: text for name, text in facts.items() if text}

    def __repr__(self) -> str:
        return "\n".join(f"{name:10} {text}" for name, text in self._facts().items())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{name}</th><td style='text-align:left'>{html.escape(text)}</td>"
            "</tr>"
            for name, text in self._facts().items()
        )
        return f"<table>{rows}</table>"


_ROLES = ("chosen", "baseline")
Base = str | Path | Preset | Spec | RunSpec | Mapping[str, Any] | None


def spec(base: Base = None, /, **changes: Any) -> Spec:
    """Return an experiment, from a shipped one or from nothing.

    Args:
        base: A preset or its name, another spec, the path of a spec as JSON, or the
            spec as a dictionary. Without one, `family` and `learners` must be given.
        **changes: What differs from it:

            - `seed`, `replicates`, `device`, `compile`, `rival`; `effort`: "quick",
              "until-decided" or "fixed";
            - `learner`, `family`, `net`, `outer`, `estimator`: another part, by name
              or from the catalogue, or a dictionary of settings to change;
              `learner` stands for every chosen one;
            - a label of a learner, such as `sgd_tuned`: a dictionary of its settings;
            - `learners`, `baselines`, `shifts`, `test_families`: a list, which
              replaces the present one;
            - `budget`: a dictionary of its fields to change.

    Returns:
        The spec, completed and checked for this machine.

    Raises:
        Refused: If something cannot be so, in one sentence with the remedy.

    Example:
        >>> import metascope as ms
        >>> mine = ms.spec("smoke", seed=3, learner={"lr": 0.1})
        >>> mine.full.seed, mine.full.learners[0].knobs["lr"]
        (3, 0.1)
        >>> ms.spec("smoke", sede=3)
        Traceback (most recent call last):
        engine.contract.errors.Refused: a spec has no 'sede'; did you mean 'seed'?
    """
    from engine.executors.in_process import settle_spec

    asked = _read_base(base, changes)
    _check_names(asked, changes)
    asked = _with_parts(asked, changes)
    if values := dict(_setting_values(changes)):
        asked = with_values(asked, values, _find_card)
    effort, replicates = changes.get("effort"), changes.get("replicates")
    if effort is not None or replicates is not None:
        kind = kind_named(kind_of_family(asked, _find_card))
        asked = with_effort(asked, kind, _read_effort(effort), _count(replicates))
    return Spec(asked, settle_spec(asked))


def _find_card(slot: str, name: str) -> Card:
    from engine.catalogue import find_card  # imports every part: seconds

    return find_card(slot, name)


def _read_base(base: Base, changes: Mapping[str, Any]) -> RunSpec:
    """Return what a spec is made from.

    Raises:
        Refused: If it cannot be read, or nothing says what is to be compared.
    """
    from engine.presets import preset

    match base:
        case Spec():
            return base.asked
        case RunSpec():
            return base
        case Preset():
            return preset(base.name).spec
        case str() | Path():
            file = Path(base)
            if isinstance(base, str) and not (file.suffix or len(file.parts) > 1):
                return preset(base).spec
            return parse_spec(_read_file(file), _find_card)
        case Mapping():
            return parse_spec(json.dumps(dict(base)), _find_card)
        case None if "family" in changes and "learners" in changes:
            parts = {name: _as_choice(changes[name]) for name in ("family",)}
            return RunSpec(**parts, learners=tuple(_learners(changes["learners"])))
        case None:
            raise Refused(
                "a spec needs what to start from: the name of a preset, such as "
                '"default", or family=… and learners=[…]'
            )
    raise Refused(
        "a spec is made from a preset, a spec, a path or a dictionary, not from "
        f"{type(base).__name__}"
    )


def _read_file(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise Refused(f"{file} cannot be read: {why}", str(file)) from None


def _check_names(asked: RunSpec, changes: Mapping[str, Any]) -> None:
    """Refuse an argument that no spec has, with the nearest one that it has."""
    labels = {c.label or c.name for c in asked.learners}
    known = {name: name for name in (*_ALLOWED, *sorted(labels))}
    for name in changes:
        if name in known or "." in name:
            continue
        near = find_nearest_name(name, known)
        hint = f"did you mean {near!r}?" if near else f"it takes {', '.join(known)}"
        raise Refused(f"a spec has no {name!r}; {hint}", name)


def _with_parts(asked: RunSpec, changes: Mapping[str, Any]) -> RunSpec:
    """Return a spec with other parts, lists of parts and numbers."""
    body = asked.model_dump(mode="json")
    for name in _NUMBERS:
        if name in changes:
            body[name] = changes[name]
    for name in _PARTS:
        if name in changes and not isinstance(changes[name], Mapping):
            body[name] = _dump(_as_choice(changes[name]))
            body.pop("kind", None)
    if "learner" in changes and not isinstance(changes["learner"], Mapping):
        chosen = _dump(_as_learner(changes["learner"], "chosen"))
        rest = [c for c in body["learners"] if c["role"] == "baseline"]
        body["learners"] = [chosen, *rest]
    for name, role in (("learners", "chosen"), ("baselines", "baseline")):
        if name in changes:
            given = [_dump(c) for c in _learners(changes[name], role)]
            mixed = name == "learners" and any(c["role"] == "baseline" for c in given)
            kept = [] if mixed else [c for c in body["learners"] if c["role"] != role]
            body["learners"] = [*given, *kept] if role == "chosen" else [*kept, *given]
    for name in ("shifts", "test_families"):
        if name in changes:
            body[name] = [_dump(_as_choice(p)) for p in _as_list(name, changes[name])]
    return parse_spec(_as_json(body), _find_card)


def _as_json(body: Mapping[str, Any]) -> str:
    try:
        return json.dumps(body)
    except (TypeError, ValueError) as error:
        raise Refused(
            f"a spec holds numbers, texts, lists and dictionaries only: {error}"
        ) from None


def _as_list(name: str, given: object) -> Sequence[Any]:
    if isinstance(given, Iterable) and not isinstance(given, (str, Mapping, Choice)):
        return list(given)
    raise Refused(f"{name} is a list, such as [{given!r}]", name)


def _learners(given: object, role: str = "chosen") -> list[LearnerChoice]:
    return [_as_learner(each, role) for each in _as_list("learners", given)]


def _as_learner(given: object, role: str) -> LearnerChoice:
    choice = _as_choice(given)
    if isinstance(choice, LearnerChoice):
        return (
            choice.model_copy(update={"role": role}) if role == "baseline" else choice
        )
    return LearnerChoice(name=choice.name, knobs=choice.knobs, role=role)  # type: ignore[arg-type]


def _as_choice(given: object) -> Choice:
    if isinstance(given, Choice):
        return given
    if isinstance(given, PartEntry):
        return given()
    if isinstance(given, str):
        return Choice(name=given)
    if isinstance(given, type) and getattr(given, "name", ""):  # a part of a notebook
        return Choice(name=given.name)
    raise Refused(
        "a part is its name, such as 'maml', or a choice from the catalogue, such as "
        f"catalogue().learners.maml(inner_steps=3), not {type(given).__name__}"
    )


def _dump(choice: Choice) -> dict[str, Any]:
    return choice.model_dump(mode="json", exclude_defaults=True) | {"name": choice.name}


def _setting_values(changes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings to change, by their path in the spec."""
    for name, given in changes.items():
        if "." in name:
            yield name, given
        elif isinstance(given, Budget):
            yield from ((f"budget.{k}", v) for k, v in given)
        elif isinstance(given, Mapping):
            yield from ((f"{name}.{k}", v) for k, v in given.items())
        elif name not in _ALLOWED or name == "budget":
            raise Refused(
                f"{name} takes a dictionary of settings, such as "
                f"{name}={{{_example(name)}}}",
                name,
            )


def _example(name: str) -> str:
    return "'test_tasks': 8" if name == "budget" else "'lr': 0.1"


def _read_effort(given: object) -> Effort | None:
    if given is None:
        return None
    try:
        return Effort(str(given).replace("_", "-"))
    except ValueError:
        known = ", ".join(Effort)
        raise Refused(f"effort must be one of {known}, not {given!r}", "effort") from (
            None
        )


def _count(given: object) -> int | None:
    if given is None or (isinstance(given, int) and 1 <= given <= MOST_REPLICATES):
        return given
    raise Refused(
        f"replicates must be a whole number from 1 to {MOST_REPLICATES}, not {given!r}",
        "replicates",
    )


def _show(choice: Choice) -> str:
    label = getattr(choice, "label", "") or choice.name
    return label if label == choice.name else f"{label} ({choice.name})"
