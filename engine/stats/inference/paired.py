"""Paired differences and ratios with 95 % intervals.

Both learners saw the same tasks from the same initial weights, so each task gives one
difference. `comparison` has the same test at any level.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.comparison import (
    Comparison,
    compare_over_replicates,
    compare_over_tasks,
    paired_gaps,
)
from engine.stats.inference.intervals import CONFIDENCE, Interval
from engine.stats.inference.skewed_mean import estimate_mean


class Difference(NamedTuple):
    """A mean paired difference with its 95 % interval.

    Args:
        mean: Mean of first − second, in the unit of the values.
        low: Lower end of the interval; NaN with one replicate, unless over its tasks.
        high: Upper end, likewise.
        p: Of a difference of 0, two-sided, by the method of the interval.
        improvement: Share of tasks where the first is lower; ties count half.
        n_replicates: Replicates.
        n_tasks: Tasks per replicate.
    """

    mean: float
    low: float
    high: float
    p: float
    improvement: float
    n_replicates: int
    n_tasks: int


def paired_difference(first: Floats, second: Floats) -> Difference:
    """Compare two learners on the same tasks.

    Args:
        first: One number a task; shape (replicate, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        The difference first − second, in the unit of the values.

    Raises:
        ValueError: If shapes differ or a value is NaN: a task that one learner failed
            must not drop out of the comparison.

    >>> same = np.ones((8, 4))
    >>> paired_difference(same, same)[:5]
    (0.0, 0.0, 0.0, 1.0, 0.5)
    """
    return _difference(compare_over_replicates(first, second))


def paired_over_tasks(first: Floats, second: Floats) -> Difference:
    """Compare two single trainings over their tasks, as the papers do.

    The interval is about these two trainings and says nothing about other trainings:
    whatever shows it must say so.

    Args:
        first: One number a task; shape (1, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        The difference first − second, with its interval over tasks.

    >>> paired_over_tasks(np.array([[1.0, 2.0]]), np.array([[0.0, 1.0]])).mean
    1.0
    """
    return _difference(compare_over_tasks(first, second))


def _difference(found: Comparison) -> Difference:
    return Difference(
        found.mean,
        *found.interval(1 - CONFIDENCE),
        found.p(),
        found.improvement,
        found.n_replicates,
        found.n_tasks,
    )


def log_ratio(first: Floats, second: Floats) -> Interval:
    """Return the ratio of two means, with an interval found on the log scale.

    Args:
        first: One positive number a task; shape (replicate, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        mean(first) / mean(second), such as a speed-up of steps.

    >>> log_ratio(np.full((8, 2), 3.0), np.full((8, 2), 2.0)).mean
    1.5
    """
    paired_gaps(first, second)
    return _ratio_of_means(first.mean(axis=1), second.mean(axis=1))


def log_ratio_over_tasks(first: Floats, second: Floats) -> Interval:
    """Return the ratio of two means, with its interval over independent tasks.

    Args:
        first: One positive number a task; shape (1, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        mean(first) / mean(second); `n` counts tasks.

    >>> log_ratio_over_tasks(np.array([[3.0, 5.0]]), np.array([[2.0, 2.0]])).mean
    2.0
    """
    paired_gaps(first, second)
    return _ratio_of_means(first[0], second[0])


def _ratio_of_means(first: Floats, second: Floats) -> Interval:
    """Return the ratio of two means over units; both of shape (unit,)."""
    center = float(np.log(first.mean() / second.mean()))
    # Delta method: around its means a log ratio is linear, a mean over units.
    parts = first / first.mean() - second / second.mean() + center
    low, high = estimate_mean(parts).interval(1 - CONFIDENCE)
    mean, low, high = np.exp([center, low, high]).tolist()
    return Interval(mean, low, high, len(first))
