"""What a run takes, counted from its spec: one file per kind of task."""

from collections.abc import Callable
from typing import NamedTuple

from engine.contract.kinds import ByKind
from engine.contract.runs import RunSpec

TUNING_TRIALS = 18  # what a two-stage tuning tries, more or less


class CostModel(NamedTuple):
    """How much a run takes.

    Args:
        work: About how much, over all replicates, in what the kind is paid in.
        load: What time goes with.
    """

    estimate_cost: Callable[[RunSpec], float]
    estimate_time_units: Callable[[RunSpec], float]


COSTS: ByKind[CostModel] = ByKind("app.experiment.costs")


def count_test_tasks(spec: RunSpec) -> int:
    """Return the test tasks of one learner and replicate, over all conditions."""
    conditions = 1 + len(spec.test_families)
    conditions += sum(len(shift.severities) for shift in spec.shifts)
    return conditions * spec.budget.test_tasks
