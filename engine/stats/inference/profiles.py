"""Performance profiles of many scores, and Holm correction of many p-values.

Source: Agarwal et al. (2021), arXiv:2108.13264; Holm (1979), Scandinavian
Journal of Statistics 6.
"""

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.bounded_intervals import fit_band
from engine.stats.inference.intervals import Band, mean_band


def performance_profile(values: Floats, levels: Floats) -> Band:
    """Return the share of tasks at or below each level, with its 95 % band.

    Args:
        values: One number a task, less is better; shape (replicate, task). NaN
            (diverged) is at no level.
        levels: Levels to count at, in the unit of the values; shape (level,).

    Returns:
        Shares from 0 to 1; each part of shape (level,).

    >>> performance_profile(np.array([[1.0, 2.0], [1.0, np.nan]]), np.array([1.5])).mean
    array([0.5])
    """
    below = np.asarray(values)[..., None] <= levels  # NaN compares as False
    counts = np.full(np.shape(levels), np.asarray(values).size, dtype=np.float64)
    return fit_band(mean_band(below.astype(np.float64)), (0.0, 1.0), counts)


def holm_levels(p: Floats, alpha: float) -> Floats:
    """Return the level at which Holm's procedure tests each hypothesis.

    From the smallest p-value on each is tested at alpha / (tests left); the first that
    is not rejected ends it, and all others stand at its level. So a test is
    rejected just where its p-value is at most its level.

    Args:
        p: Raw p-values; shape (test,). NaN (no test was possible) is not counted.
        alpha: Chance of any false rejection.

    Returns:
        Levels of the same shape; alpha where no test was possible.

    >>> holm_levels(np.array([0.01, 0.04, 0.03]), 0.05).round(4).tolist()
    [0.0167, 0.025, 0.025]
    """
    levels = np.full(p.shape, alpha)
    left = int(np.isfinite(p).sum())
    for at in np.argsort(p)[:left]:  # NaN sorts last
        levels[at] = alpha / left
        if p[at] <= levels[at]:
            left -= 1
    return levels


def holm(p: Floats) -> Floats:
    """Return Holm-adjusted p-values, which control the family-wise error rate.

    The chance that any true null hypothesis gets a value below 5 % is at most 5 %.

    Args:
        p: Raw p-values; shape (test,). NaN (no test was possible) stays NaN and does
            not count as a test.

    Returns:
        Adjusted p-values of the same shape, at most 1.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=np.float64)
    # NaN sorts last, so the first entries are the tests.
    order = np.argsort(p)[: int(np.isfinite(p).sum())]
    left = np.arange(len(order), 0, -1)
    adjusted = np.full(p.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * left), 1.0)
    return adjusted
