"""Defaults by family, such as rates: untouched fields follow a change of family."""

from collections.abc import Callable, Mapping
from typing import Any

from app.experiment import fields as experiment_fields
from app.experiment import spec_mapping
from engine.contract.errors import Refused

FieldsFunction = Callable[
    [Mapping[str, Any], spec_mapping.FindCard, str], list[experiment_fields.Field]
]


def refit_defaults(
    form: Mapping[str, Any], cards: spec_mapping.FindCard
) -> spec_mapping.Form:
    """Return the fields that change after the form's family changed.

    Fields of learners, nets and outer rules at the default of the previous family
    (`k.suits`) move to the new family's default; values that the user entered stay.
    """
    before, after = form.get("k.suits"), form.get("k.family")
    if after is None or before == after:
        return {}
    changed: spec_mapping.Form = {"k.suits": after}
    if before is None:
        return changed
    for label in _known_labels(form):
        changed |= _changed_defaults(spec_mapping.learner_fields, form, cards, label)
    for name in _known_parts(form, "outer"):
        changed |= _changed_defaults(spec_mapping.outer_fields, form, cards, name)
    for name in _known_parts(form, "net"):
        changed |= _changed_defaults(spec_mapping.net_fields, form, cards, name)
    return changed


def _changed_defaults(
    fields: FieldsFunction,
    form: Mapping[str, Any],
    cards: spec_mapping.FindCard,
    name: str,
) -> spec_mapping.Form:
    try:
        old = fields({**form, "k.family": form["k.suits"]}, cards, name)
        new = fields(form, cards, name)
    except Refused:
        return {}  # a link may name a label or family that is unknown here
    return {
        field.key: field.knob.default
        for was, field in zip(old, new, strict=True)
        if was.knob.default != field.knob.default
        if form.get(field.key) == was.knob.default
    }


def _known_parts(form: Mapping[str, Any], slot: str) -> list[str]:
    """Return every part of a slot that the form has fields of."""
    return list(dict.fromkeys(_names_with_fields(form, f"k.{slot}.")))


def _known_labels(form: Mapping[str, Any]) -> list[str]:
    """Return every learner that the form has fields of, selected or not."""
    touched = _names_with_fields(form, "k.learner.")
    return list(
        dict.fromkeys(
            [*form.get("k.parts", ()), *spec_mapping.selected_labels(form), *touched]
        )
    )


def _names_with_fields(form: Mapping[str, Any], start: str) -> list[str]:
    """Return the names that the form has knobs of; only names may contain dots."""
    knobs = [key.removeprefix(start) for key in form if key.startswith(start)]
    return [key.rpartition(".")[0] for key in knobs]
