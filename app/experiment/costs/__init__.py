"""The work of a run, computed from its spec; one file per kind of task."""

from collections.abc import Callable
from typing import NamedTuple

from engine.contract.kinds import ByKind
from engine.contract.run_spec import RunSpec

TUNING_TRIALS = 18  # approximate number of rates that a two-stage tuning tries
# Its cost for an optimizer, whose coarse rates are tried on a quarter of the tasks.
TUNING_COST = 10


class CostModel(NamedTuple):
    """Cost functions of a kind of task.

    Args:
        estimate_cost: Approximate work over all replicates, in the kind's unit.
        load: The work that the duration is proportional to.
    """

    estimate_cost: Callable[[RunSpec], float]
    estimate_time_units: Callable[[RunSpec], float]


COSTS: ByKind[CostModel] = ByKind("app.experiment.costs")


def count_test_tasks(spec: RunSpec) -> int:
    """Return the test tasks of one learner and replicate, over all conditions."""
    conditions = 1 + len(spec.test_families)
    conditions += sum(len(shift.severities) for shift in spec.shifts)
    return conditions * spec.budget.test_tasks
