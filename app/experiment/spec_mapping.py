"""The form of an experiment ↔ its spec; pure, and lossless both ways.

The form is a flat dictionary, `k.<slot>.<name>.<knob>` → what was typed, so that it
can live in a session, under stable widget keys. Everything a spec can say has a place
in it, drawn or not: a preset or a link that comes in goes out as the same run.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.experiment import fields
from app.experiment.budget_fields import (
    budget_fields,
    compile_field,
    read_seed,
    replicates_field,
)
from engine.contract.cards import Card, KnobCard, checked, suited
from engine.contract.errors import Refused
from engine.contract.kinds import Kind, kind_named
from engine.contract.runs import (
    Budget,
    Choice,
    Input,
    LearnerChoice,
    RunSpec,
    ShiftChoice,
)

Cards = Callable[[str, str], Card]
Form = dict[str, Any]


def form_of(spec: RunSpec) -> Form:
    """Return the form that says what a completed spec says."""
    form: Form = {
        "k.family": spec.family.name,
        "k.net": spec.net.name,
        "k.estimator": spec.estimator.name,
        "k.outer": spec.outer.name,
        "k.replicates": spec.replicates,
        "k.seed": str(spec.seed),
        "k.device": spec.device,
        "k.compile": spec.compile,
        "k.chosen": [e.label for e in spec.learners if e.role == "chosen"],
        "k.baselines": [e.label for e in spec.learners if e.role == "baseline"],
        "k.order": [e.label for e in spec.learners],
        "k.parts": {e.label: e.name for e in spec.learners},
        "k.suits": spec.family.name,
        "k.shifts": _ids(spec.shifts),
        "k.test_families": _ids(spec.test_families),
        "k.inputs": {k: v.model_dump(mode="json") for k, v in spec.inputs.items()},
    }
    form |= {f"k.budget.{k}": v for k, v in spec.budget.model_dump().items()}
    for slot in ("family", "net", "estimator", "outer"):
        choice = getattr(spec, slot)
        form |= _knobs(f"k.{slot}.{choice.name}", choice)
    for entry in spec.learners:
        form |= _knobs(f"k.learner.{entry.label}", entry)
    for place, choice in zip(form["k.shifts"], spec.shifts, strict=True):
        form |= _knobs(f"k.shift.{place}", choice)
        form[f"k.shift.{place}.severities"] = fields.show_numbers(choice.severities)
    for place, choice in zip(form["k.test_families"], spec.test_families, strict=True):
        form |= _knobs(f"k.test.{place}", choice)
    return form


def _ids(choices: Iterable[Choice]) -> list[str]:
    taken: dict[str, int] = {}
    ids = []
    for choice in choices:
        taken[choice.name] = taken.get(choice.name, 0) + 1
        n = taken[choice.name]
        ids.append(choice.name if n == 1 else f"{choice.name}#{n}")
    return ids


def _knobs(place: str, choice: Choice) -> Form:
    return {f"{place}.{name}": value for name, value in choice.knobs.items()}


def spec_of(form: Mapping[str, Any], cards: Cards) -> RunSpec:
    """Return the spec that a form asks for.

    Args:
        form: As `form_of` makes it; what is absent takes its default.
        cards: Gives the card of (slot, name).

    Raises:
        Refused: For the first field that cannot be taken, in one sentence.
    """

    def slot(name: str) -> Choice:
        part = str(form[f"k.{name}"])
        card = _suited(form, cards, cards(name, part))
        return Choice(name=part, knobs=_read(form, card, f"k.{name}.{part}"))

    learners = tuple(_learner(form, cards, label) for label in labels(form))
    if not any(entry.role == "chosen" for entry in learners):
        raise Refused("Choose at least one learner to be judged.", "learners")
    inputs = {k: Input.model_validate(v) for k, v in form.get("k.inputs", {}).items()}
    return RunSpec(
        family=slot("family"),
        test_families=_test_families(form, cards),
        shifts=tuple(
            _shift(form, cards, place) for place in form.get("k.shifts") or ()
        ),
        learners=_at_most(learners, 8, "learners and baselines"),
        net=slot("net"),
        estimator=slot("estimator"),
        outer=slot("outer"),
        budget=Budget(**fields.values(budget_fields(kind_of(form, cards)), form)),
        **fields.values([replicates_field(), compile_field()], form),
        seed=read_seed(form.get("k.seed", "7")),
        device=form.get("k.device", "auto"),
        inputs={
            label: entry for label, entry in inputs.items() if label in labels(form)
        },
    )


def labels(form: Mapping[str, Any]) -> list[str]:
    """Return the selected learners in the spec's order: loaded ones keep theirs."""
    selected = [*(form.get("k.chosen") or ()), *(form.get("k.baselines") or ())]
    loaded = [label for label in form.get("k.order", ()) if label in selected]
    return [*loaded, *(label for label in selected if label not in loaded)]


def part_of(form: Mapping[str, Any], label: str) -> str:
    """Return which learner a label stands for.

    >>> part_of({}, "adam_tuned"), part_of({"k.parts": {"mine": "sgd"}}, "mine")
    ('adam', 'sgd')
    """
    known = form.get("k.parts", {}).get(label)
    return str(known or label.removesuffix("_tuned"))


def learner_fields(
    form: Mapping[str, Any], cards: Cards, label: str
) -> list[fields.Field]:
    """Return a learner's fields with the defaults that suit the chosen family.

    A label that ends in "_tuned" is tuned unless said.
    """
    card = _suited(form, cards, cards("learner", part_of(form, label)))
    made = fields.fields(card, f"k.learner.{label}")
    if not label.endswith("_tuned"):
        return made
    return [
        field._replace(knob=field.knob.model_copy(update={"default": "tuned"}))
        if field.knob.name == "tuning"
        else field
        for field in made
    ]


def outer_fields(
    form: Mapping[str, Any], cards: Cards, name: str
) -> list[fields.Field]:
    """Return an outer rule's fields with the defaults that suit the chosen family."""
    card = _suited(form, cards, cards("outer", name))
    return fields.fields(card, f"k.outer.{name}")


def kind_of(form: Mapping[str, Any], cards: Cards) -> Kind:
    """Return the kind of task that the form's family is of."""
    family = cards("family", str(form["k.family"]))
    return kind_named(family.traits.get("kind"))


def _suited(form: Mapping[str, Any], cards: Cards, card: Card) -> Card:
    if card.slot not in ("learner", "outer") or "k.family" not in form:
        return card
    return suited(card, cards("family", str(form["k.family"])))


def _read(form: Mapping[str, Any], card: Card, place: str) -> dict[str, Any]:
    return fields.values(fields.fields(card, place), form)


def _learner(form: Mapping[str, Any], cards: Cards, label: str) -> LearnerChoice:
    chosen = label in (form.get("k.chosen") or ())
    return LearnerChoice(
        name=part_of(form, label),
        label=label,
        role="chosen" if chosen else "baseline",
        knobs=fields.values(learner_fields(form, cards, label), form),
    )


def _shift(form: Mapping[str, Any], cards: Cards, place: str) -> ShiftChoice:
    name = place.partition("#")[0]
    card = cards("shift", name)
    key = f"k.shift.{place}.severities"
    typed = form.get(key, fields.show_numbers(card.traits.get("severities", ())))
    severities = fields.parse_numbers(typed, f"Severities of {card.title}", key)
    return ShiftChoice(
        name=name,
        knobs=_read(form, card, f"k.shift.{place}"),
        severities=_severities(card, severities, key),
    )


def _severities(card: Card, numbers: tuple[float, ...], key: str) -> tuple[float, ...]:
    top = float(card.traits.get("top", 10.0))
    knob = KnobCard(
        **{"name": key, "kind": "float", "default": 0.0, "help": "", "low": 0.0},
        **{"label": f"A severity of {card.title}", "high": top},
    )
    return tuple(checked(knob, n) for n in _at_most(numbers, 12, "severities"))


def _test_families(form: Mapping[str, Any], cards: Cards) -> tuple[Choice, ...]:
    places = _at_most(tuple(form.get("k.test_families") or ()), 16, "test families")
    made = []
    for place in places:
        name = place.partition("#")[0]
        knobs = _read(form, cards("family", name), f"k.test.{place}")
        made.append(Choice(name=name, knobs=knobs))
    return tuple(made)


def _at_most(items: tuple[Any, ...], limit: int, noun: str) -> tuple[Any, ...]:
    if len(items) > limit:
        raise Refused(
            f"At most {limit} {noun} fit into one run, not {len(items)}.", noun
        )
    return items
