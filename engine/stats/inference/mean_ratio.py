"""The ratio of two paired means, with an interval found on the log scale.

Delta method: around its means a log ratio is linear, a mean over the units, so its
interval is that of a mean.
"""

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.comparison import paired_gaps
from engine.stats.inference.intervals import CONFIDENCE, Interval
from engine.stats.inference.skewed_mean import estimate_mean


def log_ratio(first: Floats, second: Floats, alpha: float = 1 - CONFIDENCE) -> Interval:
    """Return the ratio of two means over replicates.

    Args:
        first: One positive number a task; shape (replicate, task), no NaN.
        second: The other learner's, on the same tasks.
        alpha: Chance that the interval misses the ratio.

    Returns:
        mean(first) / mean(second), such as a speed-up of steps.

    >>> log_ratio(np.full((8, 2), 3.0), np.full((8, 2), 2.0)).mean
    1.5
    """
    paired_gaps(first, second)
    mine, other = first.mean(axis=1), second.mean(axis=1)
    center = float(np.log(mine.mean() / other.mean()))
    parts = mine / mine.mean() - other / other.mean() + center
    low, high = estimate_mean(parts).interval(alpha)
    mean, low, high = np.exp([center, low, high]).tolist()
    return Interval(mean, low, high, len(first))


def log_ratio_over_tasks(
    first: Floats, second: Floats, alpha: float = 1 - CONFIDENCE
) -> Interval:
    """Return the ratio of two means over independent tasks.

    Args:
        first: One positive number a task; shape (1, task), no NaN.
        second: The other learner's, on the same tasks.
        alpha: Chance that the interval misses the ratio.

    Returns:
        mean(first) / mean(second); `n` counts tasks.

    >>> log_ratio_over_tasks(np.array([[3.0, 5.0]]), np.array([[2.0, 2.0]])).mean
    2.0
    """
    return log_ratio(first.T, second.T, alpha)
