"""Effort: how many replicates a run computes, and when it may stop.

A quick run computes one batch of replicates and looks once. A run until decided adds
batches, looks after each, and stops when its primary question is decided, or at its
ceiling. A fixed run computes a given number and has no looks.
"""

from enum import StrEnum

from engine.contract.errors import Refused
from engine.contract.kinds import Kind
from engine.contract.run_spec import MOST_LOOKS, RunSpec


class Effort(StrEnum):
    """How long a run goes on."""

    QUICK = "quick"
    UNTIL_DECIDED = "until-decided"
    FIXED = "fixed"


def effort_of(spec: RunSpec) -> Effort:
    """Return a spec's effort, which its looks tell."""
    if not spec.looks:
        return Effort.FIXED
    return Effort.QUICK if len(spec.looks) == 1 else Effort.UNTIL_DECIDED


def equal_looks(batch: int, ceiling: int) -> tuple[int, ...]:
    """Return the looks of equal batches; the last one may be smaller.

    Args:
        batch: Replicates that are added between two looks.
        ceiling: Replicates at the last look.

    Raises:
        Refused: If these are more looks than a spec can hold.

    >>> equal_looks(8, 32), equal_looks(8, 20)
    ((8, 16, 24, 32), (8, 16, 20))
    """
    looks = (*range(batch, ceiling, batch), ceiling)
    if len(looks) > MOST_LOOKS:
        least = -(-ceiling // MOST_LOOKS)
        raise Refused(
            f"{ceiling} replicates in batches of {batch} are {len(looks)} batches; at "
            f"most {MOST_LOOKS} are allowed, so a batch needs at least {least}",
            "looks",
        )
    return looks


def extend_looks(looks: tuple[int, ...], ceiling: int) -> tuple[int, ...]:
    """Return looks up to another ceiling; those below it are kept.

    Args:
        looks: At least one; batches that are added are as large as the first.
        ceiling: Replicates at the last look.

    >>> extend_looks((4, 8), 15), extend_looks((4, 8, 16), 6), extend_looks((8,), 8)
    ((4, 8, 12, 15), (4, 6), (8,))
    """
    kept = tuple(look for look in looks if look < ceiling)
    if ceiling <= looks[-1]:
        return (*kept, ceiling)
    added = equal_looks(looks[0], ceiling)
    return (*looks, *(look for look in added if look > looks[-1]))


def with_effort(
    spec: RunSpec, kind: Kind, effort: Effort | None, replicates: int | None
) -> RunSpec:
    """Return a spec with another effort.

    Args:
        spec: The spec.
        kind: Its kind of task, which gives batch and ceiling where there are no looks.
        effort: The effort; None for the spec's own.
        replicates: How many to compute, until decided at most; None for the spec's own
            number. A quick run is of one batch, and never of more than these.

    Raises:
        Refused: If the ceiling takes more looks than a spec can hold.
    """
    before = effort_of(spec)
    effort = effort or before
    batch = spec.looks[0] if spec.looks else kind.batch
    if effort is Effort.UNTIL_DECIDED:
        own = spec.replicates if before is effort else kind.ceiling
        looks = extend_looks(spec.looks or (batch,), replicates or own)
        return spec.model_copy(update={"replicates": looks[-1], "looks": looks})
    count = replicates or spec.replicates
    if effort is Effort.FIXED:
        return spec.model_copy(update={"replicates": count, "looks": ()})
    count = min(batch, count)
    return spec.model_copy(update={"replicates": count, "looks": (count,)})
