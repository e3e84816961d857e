"""What a run takes, counted from its spec: one file per kind of task."""

from collections.abc import Callable
from typing import NamedTuple

from engine.contract.kinds import ByKind
from engine.contract.runs import RunSpec

RATES = 18  # what a two-stage tuning tries, more or less


class Cost(NamedTuple):
    """How much a run takes.

    Args:
        work: About how much, over all replicates, in what the kind is paid in.
        load: What time goes with.
    """

    work: Callable[[RunSpec], float]
    load: Callable[[RunSpec], float]


COSTS: ByKind[Cost] = ByKind("app.experiment.costs")


def tested(spec: RunSpec) -> int:
    """Return the test tasks of one learner and replicate, over all conditions."""
    conditions = 1 + len(spec.test_families)
    conditions += sum(len(shift.severities) for shift in spec.shifts)
    return conditions * spec.budget.test_tasks
