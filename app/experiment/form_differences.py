"""What differs between two forms, in words: a form and its start, or a form and a run.

Both are flat dictionaries, as `spec_mapping.spec_to_form` makes them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.experiment import budget_fields, effort_fields, fields, spec_mapping
from app.experiment.form_words import (
    NO_VALUE,
    learner_in_words,
    learners_in_words,
    value_in_words,
)
from app.experiment.spec_mapping import FindCard
from engine.contract.errors import Refused

SHOWN = 4  # differences that a sentence names
_LABELS = {
    "k.family": "Task",
    "k.chosen": "Learners",
    "k.baselines": "Baselines",
    "k.rival": "Primary rival",
    "k.net": "Net",
    "k.estimator": "Gradient estimator",
    "k.outer": "Outer rule",
    "k.shifts": "Shifts",
    "k.test_families": "Other families",
    effort_fields.EFFORT: "Effort",
    "k.first_replicate": "First replicate",
    "k.device": "Device",
    "k.inputs": "Frozen start",
}


class Difference(NamedTuple):
    """A field in which two forms differ.

    Args:
        key: Its key in the form.
        label: Its name on the screen.
        now: Its value, in words.
        before: The other form's value, in words.
    """

    key: str
    label: str
    now: str
    before: str


def form_differences(
    now: Mapping[str, Any], before: Mapping[str, Any], cards: FindCard
) -> list[Difference]:
    """Return the fields in which a form differs from another, in the form's order.

    A field that only one of them has belongs to a part that the other does not use;
    the choice of that part is a difference of its own.

    Args:
        now: A form.
        before: The form that it is compared with.
        cards: Returns the card of (slot, name).
    """
    return [
        Difference(key, label, describe(now[key]), describe(before[key]))
        for key, label, describe in _labeled_fields(now, cards)
        if key in now and key in before
        if not is_same(now[key], before[key])
    ]


def list_labels(differences: Sequence[Difference]) -> str:
    """Return the names of the differing fields as a phrase.

    >>> seed, horizon = (Difference("", name, "", "") for name in ("Seed", "Horizon"))
    >>> list_labels([seed, horizon, horizon])
    'seed, horizon'
    """
    # The same knob may differ in several learners.
    labels = list(dict.fromkeys(_to_lower(each.label) for each in differences))
    more = len(labels) - SHOWN
    return ", ".join(labels[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _to_lower(label: str) -> str:
    """Return a label for the middle of a sentence; acronyms keep their capitals."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def is_same(one: Any, other: Any) -> bool:
    """Return whether two values of a field are equal; lists may be tuples."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return list(one) == list(other)
    return bool(one == other)


Labeled = tuple[str, str, Callable[[Any], str]]


def _labeled_fields(form: Mapping[str, Any], cards: FindCard) -> Iterator[Labeled]:
    """Yield each field's key, its label, and the function that words its value."""
    titles = _title_functions(cards)
    for key, label in _LABELS.items():
        yield key, label, titles.get(key, value_in_words)
    yield "k.seed", "Seed", value_in_words
    for field, context in _fields_of_parts(form, cards):
        label = f"{context}: {field.knob.label}" if context else field.knob.label
        yield field.key, label, value_in_words
    for place in form.get("k.shifts") or ():
        title = cards("shift", place.partition("#")[0]).title
        yield (
            f"k.shift.{place}.severities",
            f"{title}: severities",
            value_in_words,
        )


def _fields_of_parts(
    form: Mapping[str, Any], cards: FindCard
) -> Iterator[tuple[fields.Field, str]]:
    """Yield the fields of all parts in use, each with what tells it from others."""
    kind = spec_mapping.kind_of_form(form, cards)
    family = str(form["k.family"])
    for each in fields.card_fields(cards("family", family), f"k.family.{family}"):
        yield each, ""
    for label in spec_mapping.selected_labels(form):
        try:
            found = spec_mapping.learner_fields(form, cards, label)
        except Refused:
            continue  # a link's unknown learner is refused elsewhere, by name
        for each in found:
            yield each, learner_in_words(label)
    net = str(form.get("k.net"))
    for each in spec_mapping.net_fields(form, cards, net):
        yield each, ""
    estimator = str(form.get("k.estimator"))
    place = f"k.estimator.{estimator}"
    for each in fields.card_fields(cards("estimator", estimator), place):
        yield each, ""
    for each in spec_mapping.outer_fields(form, cards, str(form.get("k.outer"))):
        yield each, "Outer rule"
    for shift in form.get("k.shifts") or ():
        card = cards("shift", shift.partition("#")[0])
        for each in fields.card_fields(card, f"k.shift.{shift}"):
            yield each, card.title
    for each in (
        *budget_fields.budget_fields(kind),
        *effort_fields.count_fields(form, kind),
        budget_fields.compile_field(),
    ):
        yield each, ""


def _title_functions(cards: FindCard) -> dict[str, Callable[[Any], str]]:
    """Return how the choices of parts are worded, by key."""

    def in_slot(slot: str) -> Callable[[Any], str]:
        def describe(value: Any) -> str:
            names = [value] if isinstance(value, str) else list(value)
            titles = (cards(slot, name.partition("#")[0]).title for name in names)
            return ", ".join(titles) or NO_VALUE

        return describe

    slots = {
        "k.family": "family",
        "k.net": "net",
        "k.estimator": "estimator",
        "k.outer": "outer",
        "k.shifts": "shift",
        "k.test_families": "family",
    }
    return {
        **{key: in_slot(slot) for key, slot in slots.items()},
        "k.chosen": learners_in_words,
        "k.baselines": learners_in_words,
        "k.rival": lambda label: learner_in_words(label) if label else "the strongest",
        "k.inputs": lambda given: ", ".join(map(learner_in_words, given)) or NO_VALUE,
    }
