"""The form's effort: how many replicates are computed, and when a run may stop."""

from collections.abc import Mapping
from typing import Any

from app.experiment import fields
from app.experiment.budget_fields import model_knob
from engine.contract.effort import Effort, effort_of, equal_looks
from engine.contract.kinds import Kind
from engine.contract.run_spec import RunSpec

TITLES = {
    Effort.QUICK: "Quick",
    Effort.UNTIL_DECIDED: "Until decided",
    Effort.FIXED: "Fixed n",
}
EFFORT, REPLICATES, BATCH, CEILING = (
    "k.effort",
    "k.replicates",
    "k.batch",
    "k.ceiling",
)
KEYS = frozenset({EFFORT, REPLICATES, BATCH, CEILING})
_LOOKS = "k.looks"  # of unequal batches, which the form shows as the first one


def replicates_field() -> fields.Field:
    """Return the field for a fixed number of replicates."""
    return _count_field(
        REPLICATES,
        "Replicates",
        "Independent trainings. Intervals are over them, so one gives no verdict.",
    )


def batch_field(kind: Kind) -> fields.Field:
    """Return the field for the replicates that are added at a time."""
    text = "Replicates computed before the first look, and between two looks."
    return _count_field(BATCH, "Batch", text, kind.batch)


def ceiling_field(kind: Kind) -> fields.Field:
    """Return the field for the replicates at which a run stops undecided."""
    text = "Replicates at which the run stops even if it can't tell yet."
    return _count_field(CEILING, "At most", text, kind.ceiling)


def count_fields(form: Mapping[str, Any], kind: Kind) -> list[fields.Field]:
    """Return the fields for the numbers of replicates that a form's effort needs."""
    effort = Effort(form.get(EFFORT, Effort.UNTIL_DECIDED))
    if effort is Effort.FIXED:
        return [replicates_field()]
    if effort is Effort.UNTIL_DECIDED:
        return [batch_field(kind), ceiling_field(kind)]
    return []


def _count_field(key: str, label: str, text: str, default: int = 8) -> fields.Field:
    knob = model_knob(RunSpec, "replicates", label, text)
    return fields.Field(key, knob.model_copy(update={"default": default}))


def effort_to_form(spec: RunSpec, kind: Kind) -> dict[str, Any]:
    """Return the form's fields for a spec's effort.

    Fields that its effort does not use hold what another effort would start from.
    """
    looks = spec.looks
    many = effort_of(spec) is Effort.UNTIL_DECIDED
    equal = many and looks == equal_looks(looks[0], looks[-1])
    return {
        EFFORT: effort_of(spec).value,
        REPLICATES: looks[0] if looks else spec.replicates,
        BATCH: looks[0] if looks else kind.batch,
        CEILING: spec.replicates if many else kind.ceiling,
        _LOOKS: [*looks] if many and not equal else [],
    }


def effort_from_form(form: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Return a spec's `replicates` and `looks`.

    Raises:
        Refused: If a number is not allowed, or the batches are too many.
    """
    effort = Effort(form.get(EFFORT, Effort.UNTIL_DECIDED))
    if effort is Effort.FIXED:
        count = _read_count(replicates_field(), form)
        return {"replicates": count, "looks": ()}
    batch = _read_count(batch_field(kind), form)
    if effort is Effort.QUICK:
        return {"replicates": batch, "looks": (batch,)}
    ceiling = _read_count(ceiling_field(kind), form)
    loaded = tuple(form.get(_LOOKS) or ())
    unchanged = bool(loaded) and (loaded[0], loaded[-1]) == (batch, ceiling)
    looks = loaded if unchanged else equal_looks(batch, ceiling)
    return {"replicates": ceiling, "looks": looks}


def _read_count(field: fields.Field, form: Mapping[str, Any]) -> int:
    (count,) = fields.check_values([field], form).values()
    return int(count)


def describe_effort(form: Mapping[str, Any], kind: Kind) -> str:
    """Return one line on what the form's effort computes.

    Raises:
        Refused: If a number is not allowed.
    """
    effort = Effort(form.get(EFFORT, Effort.UNTIL_DECIDED))
    if effort is Effort.FIXED:
        return f"{_read_count(replicates_field(), form)} replicates, whatever comes out"
    batch = _read_count(batch_field(kind), form)
    if effort is Effort.QUICK:
        return f"{batch} replicates: shows large differences only"
    ceiling = _read_count(ceiling_field(kind), form)
    return f"{batch} replicates at a time, at most {ceiling}"
