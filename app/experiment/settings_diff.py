"""The settings in which runs differ, in the words of the form."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from app.experiment.budget_fields import budget_fields
from engine.contract.cards import Card
from engine.contract.kinds import kind_named
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_facts import learner_in_words
from engine.contract.run_spec import Choice, RunSpec
from engine.data.user.file_records import file_name

FindCard = Callable[[str, str], Card | None]
ABSENT = "–"
_NAMED = 4  # differences in the caution; of more the others are counted
_PARTS = {
    "family": "Task",
    "net": "Net",
    "estimator": "Estimator",
    "outer": "Outer rule",
}


class Difference(NamedTuple):
    """A setting in which runs differ.

    Args:
        name: Its name in the form, after that of its part.
        values: Its value in each run, as text.
        is_of_tasks: Whether it decides which tasks a run was tested on.
    """

    name: str
    values: tuple[str, ...]
    is_of_tasks: bool


def find_differences(specs: Sequence[RunSpec], cards: FindCard) -> list[Difference]:
    """Return the settings in which specs differ, in the order of the form.

    Args:
        specs: Completed specs.
        cards: Returns the card of (slot, name); None if it is not known.
    """
    described = [_describe(spec, cards) for spec in specs]
    names = dict.fromkeys(name for each in described for name in each)
    found = []
    for name in names:
        held = tuple(each.get(name, (ABSENT, False)) for each in described)
        values = tuple(text for text, _ in held)
        if len(set(values)) > 1:
            found.append(Difference(name, values, any(tasks for _, tasks in held)))
    return found


Setting = tuple[str, bool]  # the value as text, and whether it is one of the tasks


def _describe(spec: RunSpec, cards: FindCard) -> dict[str, Setting]:
    """Return a spec's settings by their name in the form."""
    made: dict[str, Setting] = {}
    made |= _describe_part(spec.family, "family", _PARTS["family"], cards, tasks=True)
    made |= _describe_tests(spec, cards)
    made["Learners"] = (_labels(spec, "chosen"), False)
    made["Baselines"] = (_labels(spec, "baseline"), False)
    made["Main rival"] = (
        learner_in_words(spec.rival) if spec.rival else "strongest baseline",
        False,
    )
    for entry in spec.learners:
        title = learner_in_words(entry.label or entry.name)
        made |= _describe_knobs(entry, "learner", title, cards, tasks=False)
    for slot in ("net", "estimator", "outer"):
        made |= _describe_part(getattr(spec, slot), slot, _PARTS[slot], cards)
    made |= _describe_budget(spec)
    frozen = {label: source.run[:12] for label, source in spec.inputs.items()}
    for label, run in frozen.items():
        made[f"{learner_in_words(label)}: frozen in run"] = (run, False)
    return made


def _describe_part(
    choice: Choice, slot: str, title: str, cards: FindCard, *, tasks: bool = False
) -> dict[str, Setting]:
    name = (_title(choice.name, slot, cards), tasks)
    return {title: name} | _describe_knobs(choice, slot, title, cards, tasks=tasks)


def _describe_knobs(
    choice: Choice, slot: str, title: str, cards: FindCard, *, tasks: bool
) -> dict[str, Setting]:
    card = cards(slot, choice.name)
    labels = {knob.name: knob.label for knob in card.knobs} if card else {}
    return {
        f"{title}: {labels.get(knob) or name_in_words(knob)}": (_format(value), tasks)
        for knob, value in choice.knobs.items()
    }


def _describe_tests(spec: RunSpec, cards: FindCard) -> dict[str, Setting]:
    """Return the shifts and the other families that a spec is tested on."""
    made: dict[str, Setting] = {}
    for shift in spec.shifts:
        title = f"Shift: {_title(shift.name, 'shift', cards)}"
        made[title] = (", ".join(map(_format, shift.severities)) or "on", True)
        made |= _describe_knobs(shift, "shift", title, cards, tasks=True)
    for family in spec.test_families:
        title = f"Other tasks: {_title(family.name, 'family', cards)}"
        made[title] = (_format(family.knobs), True)
    return made


def _describe_budget(spec: RunSpec) -> dict[str, Setting]:
    budget = spec.budget.model_dump()
    made = {
        field.label: (
            _format(budget[field.knob.name]),
            field.knob.name == "horizon",
        )
        for field in budget_fields(kind_named(spec.kind))
        if field.knob.name in budget
    }
    looks = f", looks at {', '.join(map(str, spec.looks))}" if spec.looks else ""
    made["Replicates"] = (f"{spec.replicates}{looks}", False)
    made["First replicate"] = (str(spec.first_replicate), True)
    made["Seed"] = (str(spec.seed), True)
    made["Device"] = (spec.device, False)
    made["Compiled"] = ("yes" if spec.compile else "no", False)
    return made


def _title(name: str, slot: str, cards: FindCard) -> str:
    card = cards(slot, name)
    return card.title if card else name_in_words(name)


def _labels(spec: RunSpec, role: str) -> str:
    held = (e.label or e.name for e in spec.learners if e.role == role)
    return ", ".join(map(learner_in_words, held)) or "none"


def _format(value: Any) -> str:
    """Return a setting's value as text; files are named, and their digests cut."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return file_name(value) or name_in_words(value[:60])
    if isinstance(value, Mapping):
        return ", ".join(f"{name_in_words(k)} {_format(v)}" for k, v in value.items())
    if isinstance(value, Iterable):
        return ", ".join(map(_format, value))
    return json.dumps(value)


def describe_caution(differences: Iterable[Difference]) -> str:
    """Return a sentence on runs whose tests differ; empty if they are the same."""
    found = [each for each in differences if each.is_of_tasks]
    named = [f"{each.name}: {' / '.join(each.values)}" for each in found[:_NAMED]]
    if len(found) > _NAMED:
        named.append(f"{len(found) - _NAMED} more")
    if not named:
        return ""
    return (
        f"The tests of these runs differ ({'; '.join(named)}), so a difference between "
        "their learners may come from the tests."
    )
