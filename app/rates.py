"""Another family, other rates: fields at their default move, typed ones stay."""

from collections.abc import Mapping
from typing import Any

from app import experiment
from engine.contract.errors import Refused


def resuited(form: Mapping[str, Any], cards: experiment.Cards) -> experiment.Form:
    """Return what changes in a form whose family is another one than before.

    Learners' fields that stand at the default of the family before (`k.suits`) move
    to the new family's default; what a person typed stays.
    """
    before, after = form.get("k.suits"), form.get("k.family")
    if after is None or before == after:
        return {}
    changed: experiment.Form = {"k.suits": after}
    if before is None:
        return changed
    for label in _known_labels(form):
        try:
            old = experiment.learner_fields({**form, "k.family": before}, cards, label)
        except Refused:
            continue  # a label or a family that only another installation knows
        new = experiment.learner_fields(form, cards, label)
        for was, field in zip(old, new, strict=True):
            moves = was.knob.default != field.knob.default
            if moves and form.get(field.key) == was.knob.default:
                changed[field.key] = field.knob.default
    return changed


def _known_labels(form: Mapping[str, Any]) -> list[str]:
    """Return every learner that the form holds fields of, selected or not."""
    touched = [key.split(".")[2] for key in form if key.startswith("k.learner.")]
    return list(
        dict.fromkeys([*form.get("k.parts", ()), *experiment.labels(form), *touched])
    )
