"""What a diverged task counts as, so that no mean is one over the survivors.

Where a task of any learner that is shown has diverged, every diverged task counts as
its metric's worst value, which was fixed before any run: 100 nats or a squared error of
100, the ceiling of the log loss that learners are compared by, or an accuracy of 0.
Larger losses are then held at that value for all learners, since otherwise a task would
do better by diverging. Where nothing diverged, values are as measured. Metrics without
a worst value, such as norms, are averaged over the tasks that are left.
"""

from collections.abc import Iterable

import numpy as np

from engine.contract.events import Condition
from engine.contract.metrics import metric
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable


def has_diverged(name: str, rows: Iterable[Floats]) -> bool:
    """Return whether a task has diverged, and counts as the metric's worst value.

    Args:
        name: The metric.
        rows: Values per task of each learner; NaN once diverged.
    """
    return metric(name).worst is not None and any(
        not np.isfinite(values).all() for values in rows
    )


def count_diverged(name: str, values: Floats) -> Floats:
    """Return values in which diverged tasks have the metric's worst value.

    Args:
        name: A metric with a worst value.
        values: Any shape; not finite once diverged.

    Returns:
        The same shape, all finite, none worse than the worst value.

    >>> count_diverged("final_loss", np.array([0.5, np.nan, 1e4])).tolist()
    [0.5, 100.0, 100.0]
    """
    kind = metric(name)
    assert kind.worst is not None
    filled = np.where(np.isfinite(values), values, kind.worst)
    limit = np.maximum if kind.direction > 0 else np.minimum
    return np.asarray(limit(filled, kind.worst), dtype=np.float64)


def counts_diverged(table: BlockTable, name: str) -> bool:
    """Return whether a task of any learner diverged in a run's tests of a metric."""
    tested = (b for b in table.blocks if b.phase == "test" and b.metric == name)
    return has_diverged(name, (np.asarray(block.array) for block in tested))


def task_values(
    table: BlockTable, label: str, name: str, condition: Condition = IN_DISTRIBUTION
) -> Floats | None:
    """Return a metric per task, diverged tasks counted if any task of the run diverged.

    Args:
        table: The run's blocks.
        label: The learner.
        name: A per-task metric.
        condition: Where it was tested.

    Returns:
        Shape (replicate, task); None if it was not measured.
    """
    values = table.test_values(label, name, condition)
    if values is None or not counts_diverged(table, name):
        return values
    return count_diverged(name, values)
