"""Search efficiency: results by cost spent, and a strategy's own run time.

The best so far changes only when a training ends, so curves over cost are step
functions, which are sampled on a common grid.

Source: Dong and Yang (2020), arXiv:2001.00326, figures of accuracy over time spent.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from engine.contract.events import Timing
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, PER_STEP, BlockTable


def values_at_cost(values: Floats, spent: Floats, grid: Floats) -> Floats:
    """Return what each search had reached at given costs.

    Args:
        values: After each evaluation; shape (…, step).
        spent: Cumulative cost of the trainings; shape (…, step), never falling.
        grid: Costs to sample at, in the same unit; shape (point,).

    Returns:
        Shape (…, point), NaN before the first training is paid for.

    >>> values_at_cost(np.array([0.5, 0.2]), np.array([1.0, 3.0]), np.array([0.5,
    ...     1.0, 2.9, 3.0]))
    array([nan, 0.5, 0.5, 0.2])
    """
    shape = values.shape[:-1]
    rows = zip(
        values.reshape(-1, values.shape[-1]), _flatten_spent(spent, values), strict=True
    )
    read = [_read_row(row, paid, grid) for row, paid in rows]
    return np.stack(read).reshape(*shape, len(grid))


def _flatten_spent(spent: Floats, values: Floats) -> Floats:
    return np.broadcast_to(spent, values.shape).reshape(-1, values.shape[-1])


def _read_row(values: Floats, spent: Floats, grid: Floats) -> Floats:
    # Traces are float32: a grid point on a cost must not miss it by a rounding.
    at = np.searchsorted(spent, grid * (1 + 1e-6), side="right") - 1
    return np.where(at < 0, np.nan, values[np.maximum(at, 0)])


class Overhead(NamedTuple):
    """A strategy's own time for one evaluation; trainings are table look-ups.

    Args:
        learner: Its label.
        seconds: Seconds per evaluation, over all timed tests.
        price: Mean cost of an evaluation, in the space's unit.
        evaluations: Number of timed evaluations.
    """

    learner: str
    seconds: float
    price: float
    evaluations: int


def overheads(
    table: BlockTable, timings: Sequence[Timing], labels: Iterable[str]
) -> list[Overhead]:
    """Return each strategy's own time per evaluation, where its tests were timed.

    Args:
        table: The run's blocks.
        timings: Timings of the run; those of tests belong to one learner each.
        labels: The learners.

    Returns:
        One entry per learner with timed tests.
    """
    found = []
    for label in labels:
        mine = [t for t in timings if t.learner == label and t.stage.startswith("test")]
        count = _evaluation_count(table, label)
        seconds = sum(t.seconds for t in mine)
        if mine and count and seconds > 0:
            found.append(
                Overhead(label, seconds / count, _mean_price(table, label), count)
            )
    return found


def _evaluation_count(table: BlockTable, label: str) -> int:
    """Count the evaluations of all tests: a budget may end before the horizon."""
    rows = [table.test_values(label, "trained", at) for at in table.conditions()]
    return round(sum(float(row.sum()) for row in rows if row is not None))


def _mean_price(table: BlockTable, label: str) -> float:
    spent = table.test_values(label, "spent", IN_DISTRIBUTION, PER_STEP)
    trained = table.test_values(label, "trained")
    if spent is None or trained is None or not trained.sum():
        return float("nan")
    return float(spent[..., -1].sum() / trained.sum())
