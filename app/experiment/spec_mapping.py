"""Converts between form and spec; pure, and lossless both ways.

The form is a flat dictionary, `k.<slot>.<name>.<knob>` → entered value, so that the
session can hold it under stable widget keys. It has a key for everything in a spec,
drawn or not: a loaded preset or link yields the same run key.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.experiment import fields, form_words
from app.experiment.budget_fields import (
    budget_fields,
    compile_field,
    read_seed,
)
from app.experiment.effort_fields import effort_from_form, effort_to_form
from engine.contract.cards import Card, card_for_family
from engine.contract.errors import Refused
from engine.contract.kinds import Kind, kind_named
from engine.contract.knobs import KnobCard, check_knob
from engine.contract.run_spec import (
    FOLLOWS_FAMILY,
    Budget,
    Choice,
    Input,
    LearnerChoice,
    RunSpec,
    ShiftChoice,
)

FindCard = Callable[[str, str], Card]
Form = dict[str, Any]


def spec_to_form(spec: RunSpec) -> Form:
    """Return the form of a completed spec."""
    form: Form = {
        "k.family": spec.family.name,
        "k.net": spec.net.name,
        "k.estimator": spec.estimator.name,
        "k.outer": spec.outer.name,
        "k.first_replicate": spec.first_replicate,
        "k.rival": spec.rival,
        "k.seed": str(spec.seed),
        "k.device": spec.device,
        "k.compile": spec.compile,
        "k.chosen": [e.label for e in spec.learners if e.role == "chosen"],
        "k.baselines": [e.label for e in spec.learners if e.role == "baseline"],
        "k.order": [e.label for e in spec.learners],
        "k.parts": {e.label: e.name for e in spec.learners},
        "k.suits": spec.family.name,
        "k.shifts": _unique_ids(spec.shifts),
        "k.test_families": _unique_ids(spec.test_families),
        "k.inputs": {k: v.model_dump(mode="json") for k, v in spec.inputs.items()},
    }
    form |= effort_to_form(spec, kind_named(spec.kind))
    form |= {f"k.budget.{k}": v for k, v in spec.budget.model_dump().items()}
    for slot in ("family", "net", "estimator", "outer"):
        choice = getattr(spec, slot)
        form |= _knob_entries(f"k.{slot}.{choice.name}", choice)
    for entry in spec.learners:
        form |= _knob_entries(f"k.learner.{entry.label}", entry)
    for place, choice in zip(form["k.shifts"], spec.shifts, strict=True):
        form |= _knob_entries(f"k.shift.{place}", choice)
        form[f"k.shift.{place}.severities"] = fields.format_numbers(choice.severities)
    for place, choice in zip(form["k.test_families"], spec.test_families, strict=True):
        form |= _knob_entries(f"k.test.{place}", choice)
    return form


def _unique_ids(choices: Iterable[Choice]) -> list[str]:
    taken: dict[str, int] = {}
    ids = []
    for choice in choices:
        taken[choice.name] = taken.get(choice.name, 0) + 1
        n = taken[choice.name]
        ids.append(choice.name if n == 1 else f"{choice.name}#{n}")
    return ids


def _knob_entries(place: str, choice: Choice) -> Form:
    return {f"{place}.{name}": value for name, value in choice.knobs.items()}


def form_to_spec(form: Mapping[str, Any], cards: FindCard) -> RunSpec:
    """Return the spec of a form.

    Args:
        form: As `spec_to_form` makes it; absent fields take their defaults.
        cards: Returns the card of (slot, name).

    Raises:
        Refused: For the first invalid field, in one sentence.
    """

    def slot_choice(name: str) -> Choice:
        part = str(form[f"k.{name}"])
        card = _card_for_family(form, cards, cards(name, part))
        return Choice(name=part, knobs=_knob_values(form, card, f"k.{name}.{part}"))

    learners = tuple(
        _learner_choice(form, cards, label) for label in selected_labels(form)
    )
    if not any(entry.role == "chosen" for entry in learners):
        raise Refused("Choose at least one learner to be judged.", "learners")
    inputs = {k: Input.model_validate(v) for k, v in form.get("k.inputs", {}).items()}
    return RunSpec(
        family=slot_choice("family"),
        test_families=_test_family_choices(form, cards),
        shifts=tuple(
            _shift_choice(form, cards, place) for place in form.get("k.shifts") or ()
        ),
        learners=_check_count(learners, 8, "learners and baselines"),
        net=slot_choice("net"),
        estimator=slot_choice("estimator"),
        outer=slot_choice("outer"),
        budget=Budget(
            **fields.check_values(budget_fields(kind_of_form(form, cards)), form)
        ),
        **effort_from_form(form, kind_of_form(form, cards)),
        **fields.check_values([compile_field()], form),
        first_replicate=form.get("k.first_replicate", 0),
        rival=selected_rival(form),
        seed=read_seed(form.get("k.seed", "7")),
        device=form.get("k.device", "auto"),
        inputs={
            label: entry
            for label, entry in inputs.items()
            if label in selected_labels(form)
        },
    )


def selected_labels(form: Mapping[str, Any]) -> list[str]:
    """Return the selected labels in the spec's order; loaded ones keep theirs."""
    selected = [*(form.get("k.chosen") or ()), *(form.get("k.baselines") or ())]
    loaded = [label for label in form.get("k.order", ()) if label in selected]
    return [*loaded, *(label for label in selected if label not in loaded)]


def frozen_inputs(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form's selected learners start from, by label, if frozen."""
    held = form.get("k.inputs") or {}
    return {n: source for n, source in held.items() if n in selected_labels(form)}


def possible_rivals(form: Mapping[str, Any]) -> list[str]:
    """Return the labels that the first chosen learner can be compared with."""
    labels, chosen = selected_labels(form), form.get("k.chosen") or ()
    first = next((label for label in labels if label in chosen), None)
    return [label for label in labels if label != first]


def selected_rival(form: Mapping[str, Any]) -> str:
    """Return the rival of the primary question; empty for the strongest baseline."""
    rival = str(form.get("k.rival") or "")
    return rival if rival in possible_rivals(form) else ""


def part_name(form: Mapping[str, Any], label: str) -> str:
    """Return the learner part that a label refers to.

    >>> part_name({}, "adam_tuned"), part_name({"k.parts": {"mine": "sgd"}}, "mine")
    ('adam', 'sgd')
    """
    known = form.get("k.parts", {}).get(label)
    return str(known or label.removesuffix("_tuned"))


def learner_fields(
    form: Mapping[str, Any], cards: FindCard, label: str
) -> list[fields.Field]:
    """Return a learner's fields with the defaults that suit the chosen family.

    A label that ends in "_tuned" is tuned by default.
    """
    card = _card_for_family(form, cards, cards("learner", part_name(form, label)))
    made = fields.card_fields(card, f"k.learner.{label}")
    if not label.endswith("_tuned"):
        return made
    return [
        field._replace(knob=field.knob.model_copy(update={"default": "tuned"}))
        if field.knob.name == "tuning"
        else field
        for field in made
    ]


def outer_fields(
    form: Mapping[str, Any], cards: FindCard, name: str
) -> list[fields.Field]:
    """Return an outer rule's fields with the defaults that suit the chosen family."""
    card = _card_for_family(form, cards, cards("outer", name))
    return fields.card_fields(card, f"k.outer.{name}")


def net_fields(
    form: Mapping[str, Any], cards: FindCard, name: str
) -> list[fields.Field]:
    """Return a net's fields with the defaults that suit the chosen family."""
    card = _card_for_family(form, cards, cards("net", name))
    return fields.card_fields(card, f"k.net.{name}")


def kind_of_form(form: Mapping[str, Any], cards: FindCard) -> Kind:
    """Return the kind of task that the form's family is of."""
    family = cards("family", str(form["k.family"]))
    return kind_named(family.traits.get("kind"))


def _card_for_family(form: Mapping[str, Any], cards: FindCard, card: Card) -> Card:
    if card.slot not in FOLLOWS_FAMILY or "k.family" not in form:
        return card
    return card_for_family(card, cards("family", str(form["k.family"])))


def _knob_values(form: Mapping[str, Any], card: Card, place: str) -> dict[str, Any]:
    return fields.check_values(fields.card_fields(card, place), form)


def _learner_choice(
    form: Mapping[str, Any], cards: FindCard, label: str
) -> LearnerChoice:
    chosen = label in (form.get("k.chosen") or ())
    try:
        knobs = fields.check_values(learner_fields(form, cards, label), form)
    except Refused as refusal:
        if not refusal.field.startswith("k."):  # the part is unknown, by its name
            raise
        # Several learners may have the same knob.
        who = form_words.learner_in_words(label)
        raise Refused(f"{who}: {refusal.message}", refusal.field) from None
    return LearnerChoice(
        name=part_name(form, label),
        label=label,
        role="chosen" if chosen else "baseline",
        knobs=knobs,
    )


def _shift_choice(form: Mapping[str, Any], cards: FindCard, place: str) -> ShiftChoice:
    name = place.partition("#")[0]
    card = cards("shift", name)
    key = f"k.shift.{place}.severities"
    declared = card.traits.get("severities", ())
    typed = form.get(key, fields.format_numbers(declared))
    severities = fields.parse_numbers(typed, f"Severities of {card.title}", key)
    if declared and not severities:  # the engine would test the declared ones
        raise Refused(
            f"Severities of {card.title} must be numbers separated by commas, and none "
            "is given",
            key,
        )
    return ShiftChoice(
        name=name,
        knobs=_knob_values(form, card, f"k.shift.{place}"),
        severities=_check_severities(card, severities, key),
    )


def _check_severities(
    card: Card, numbers: tuple[float, ...], key: str
) -> tuple[float, ...]:
    top = float(card.traits.get("top", 10.0))
    knob = KnobCard(
        name=key,
        kind="float",
        default=0.0,
        help="",
        low=0.0,
        label=f"A severity of {card.title}",
        high=top,
    )
    return tuple(check_knob(knob, n) for n in _check_count(numbers, 12, "severities"))


def _test_family_choices(
    form: Mapping[str, Any], cards: FindCard
) -> tuple[Choice, ...]:
    places = _check_count(tuple(form.get("k.test_families") or ()), 16, "test families")
    made = []
    for place in places:
        name = place.partition("#")[0]
        knobs = _knob_values(form, cards("family", name), f"k.test.{place}")
        made.append(Choice(name=name, knobs=knobs))
    return tuple(made)


def _check_count(items: tuple[Any, ...], limit: int, noun: str) -> tuple[Any, ...]:
    if len(items) > limit:
        raise Refused(
            f"At most {limit} {noun} fit into one run, not {len(items)}.", noun
        )
    return items
