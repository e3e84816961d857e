"""Changes of a spec that are given as keyword arguments."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.contract.cards import Card, find_nearest_name
from engine.contract.errors import Refused
from engine.contract.parsing import parse_spec
from engine.contract.parts import Part
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec
from engine.contract.sweep_grid import with_values
from metascope.arguments import show
from metascope.part_catalogue import PartEntry

_PARTS = ("family", "net", "estimator", "outer")
_LISTS = ("learners", "baselines", "shifts", "test_families")
_NUMBERS = ("seed", "device", "compile", "rival", "first_replicate")
_ALLOWED = (*_PARTS, "learner", *_LISTS, "budget", "effort", "replicates", *_NUMBERS)


def find_card_lazily(slot: str, name: str) -> Card:
    """Return the card of a part; the first call imports every part: seconds."""
    from engine.catalogue import find_card

    return find_card(slot, name)


def apply_changes(asked: RunSpec, changes: Mapping[str, Any]) -> RunSpec:
    """Return a spec with other parts, settings and numbers; see `metascope.spec`.

    Raises:
        Refused: If there is no such field, or it does not allow that value.
    """
    _check_names(asked, changes)
    asked = _with_parts(asked, changes)
    values = {path: plain(path, v) for path, v in _setting_values(changes)}
    return with_values(asked, values, find_card_lazily) if values else asked


def first_spec(changes: Mapping[str, Any]) -> RunSpec:
    """Return a spec that is made of nothing but a family and learners."""
    return RunSpec(
        family=_as_choice(changes["family"]),
        learners=tuple(_learners("learners", changes["learners"], "chosen")),
    )


def _check_names(asked: RunSpec, changes: Mapping[str, Any]) -> None:
    """Refuse an argument that no spec has, with the nearest one that it has."""
    labels = {c.label or c.name for c in asked.learners}
    known = {name: name for name in (*_ALLOWED, *sorted(labels))}
    for name in changes:
        if name in known or "." in name:
            continue
        near = find_nearest_name(name, known)
        hint = f"did you mean {near!r}?" if near else f"it takes {', '.join(known)}"
        hint = _find_setting(asked, name) or hint
        raise Refused(f"a spec has no {name!r}; {hint}", name)


def _find_setting(asked: RunSpec, name: str) -> str:
    """Return how a setting of a part is changed; empty if no part has it."""
    chosen = next((c.name for c in asked.learners if c.role == "chosen"), "")
    places = [("learner", "learner", chosen)]
    places += [(slot, slot, getattr(asked, slot).name) for slot in _PARTS]
    for argument, slot, part in places:
        if part and any(k.name == name for k in find_card_lazily(slot, part).knobs):
            return f"{part} has it: {argument}={{{name!r}: …}}"
    in_budget = name in Budget.model_fields
    return f"the budget has it: budget={{{name!r}: …}}" if in_budget else ""


def _with_parts(asked: RunSpec, changes: Mapping[str, Any]) -> RunSpec:
    """Return a spec with other parts, lists of parts and numbers."""
    body = asked.model_dump(mode="json")
    for name in _NUMBERS:
        if name in changes:
            body[name] = plain(name, changes[name])
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
            given = [_dump(c) for c in _learners(name, changes[name], role)]
            mixed = name == "learners" and any(c["role"] == "baseline" for c in given)
            kept = [] if mixed else [c for c in body["learners"] if c["role"] != role]
            body["learners"] = [*given, *kept] if role == "chosen" else [*kept, *given]
    for name in ("shifts", "test_families"):
        if name in changes:
            body[name] = [_dump(_as_choice(p)) for p in _as_list(name, changes[name])]
    return parse_spec(json.dumps(body), find_card_lazily)


def plain(path: str, value: object) -> Any:
    """Return a value as JSON has it: a number of numpy becomes one of Python.

    Raises:
        Refused: If it is no number, text or list of these.

    >>> import numpy as np
    >>> plain("learner.lr", np.float32(0.5)), plain("seed", np.arange(3)[2])
    (0.5, 2)
    """
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return [plain(path, each) for each in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise Refused(
        f"{path} takes numbers, texts and lists of these, not a {type(value).__name__}",
        path,
    )


def _as_list(name: str, given: object) -> Sequence[Any]:
    if isinstance(given, Iterable) and not isinstance(given, (str, Mapping, Choice)):
        return list(given)
    raise Refused(f"{name} is a list, such as {_as_example(given)}", name)


def _as_example(given: object) -> str:
    if given is None:
        return "[] for none"
    if isinstance(given, Mapping):
        return show(list(given))
    return f"[{given.name!r}]" if isinstance(given, PartEntry) else f"[{show(given)}]"


def _learners(name: str, given: object, role: str) -> list[LearnerChoice]:
    return [_as_learner(each, role) for each in _as_list(name, given)]


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
    if isinstance(given, type) and issubclass(given, Part):  # of a notebook
        if given.name:
            return Choice(name=given.name)
        raise Refused(
            f"{given.__name__} is not registered; write @metascope.register above it"
        )
    raise Refused(
        "a part is its name, such as 'maml', or a choice from the catalogue, such as "
        f"catalogue().learners.maml(inner_steps=3), not {show(given)}"
    )


def _dump(choice: Choice) -> dict[str, Any]:
    return choice.model_dump(mode="json")


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
