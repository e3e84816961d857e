"""Means with 95 % intervals over replicates.

A replicate is one training of everything, so replicates are the independent units:
each is first averaged over its own tasks, and the interval is Student's t over
those averages. Treating tasks as independent would ignore the variance of training.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats

CONFIDENCE = 0.95
LOG_FLOOR = 1e-12  # keeps the log of 0 finite, below any loss of interest


class Band(NamedTuple):
    """Means with 95 % intervals, position by position; arrays of one shape.

    Args:
        mean: Over replicates.
        low: Lower end; NaN with fewer than two replicates.
        high: Upper end, likewise.
        n: Replicates with a finite number there.
    """

    mean: Floats
    low: Floats
    high: Floats
    n: Floats


class Interval(NamedTuple):
    """One mean with its 95 % interval and the number of units behind it."""

    mean: float
    low: float
    high: float
    n: int


def mean_interval(values: Floats, *, log: bool = False) -> Interval:
    """Return the mean over replicates with its 95 % interval.

    Args:
        values: One number a task; shape (replicate, task). NaN is left out, so
            count what diverged beside it.
        log: Take the geometric mean, with the interval found on the log scale.

    Returns:
        Mean and interval in the unit of the values; `n` counts replicates.

    >>> mean_interval(np.array([[1.0, 1.0], [3.0, 3.0]])).mean
    2.0
    """
    band = mean_band(values, log=log)
    return Interval(float(band.mean), float(band.low), float(band.high), int(band.n))


def mean_band(values: Floats, *, log: bool = False) -> Band:
    """Return means over replicates with 95 % intervals, along further axes.

    Args:
        values: Shape (replicate, task, …); NaN is left out.
        log: Work on the log scale (values below 1e-12 count as that).

    Returns:
        Band: Each part of shape (…).
    """
    values = np.asarray(values, dtype=np.float64)
    if log:
        values = np.log(np.maximum(values, LOG_FLOOR))
    means = finite_mean(values, 1)
    n = np.isfinite(means).sum(axis=0).astype(np.float64)
    mean = finite_mean(means, 0)
    # A sum of squares: `finite_mean` skips NaN, times `n` undoes its division.
    spread = finite_mean((means - mean) ** 2, 0) * n
    half = t_critical(n - 1) * np.sqrt(_safe_ratio(spread, (n - 1) * n))
    if log:
        return Band(np.exp(mean), np.exp(mean - half), np.exp(mean + half), n)
    return Band(mean, mean - half, mean + half, n)


def finite_mean(values: Floats, axis: int) -> Floats:
    """Return the mean of the finite values; NaN where there are none.

    Args:
        values: Any shape.
        axis: The axis to average over.

    Returns:
        The values' shape without that axis.

    >>> finite_mean(np.array([[1.0, np.nan], [3.0, np.nan]]), 0)
    array([ 2., nan])
    """
    there = np.isfinite(values)
    total = np.where(there, values, 0.0).sum(axis=axis)
    return _safe_ratio(total, there.sum(axis=axis))


def scale_interval(interval: Interval, scale: float, start: float = 0.0) -> Interval:
    """Return start + scale × an interval; a negative scale swaps its ends.

    Args:
        interval: Mean and ends.
        scale: Factor, such as 100 for percent.
        start: What is added.

    Returns:
        The transformed interval with low ≤ high and the same `n`.

    >>> scale_interval(Interval(0.5, 0.25, 1.0, 8), -100.0, 100.0)
    Interval(mean=50.0, low=0.0, high=75.0, n=8)
    """
    mean, *ends = (start + scale * value for value in interval[:3])
    low, high = ends if scale > 0 else reversed(ends)
    return Interval(mean, low, high, interval.n)


def t_critical(df: Floats) -> Floats:
    """Return the half-width of a 95 % t interval in standard errors.

    Args:
        df: Degrees of freedom; any shape.

    Returns:
        The 97.5 % quantile of Student's t, same shape; NaN where df ≤ 0.

    >>> t_critical(np.array([7.0, 0.0])).round(2)
    array([2.36,  nan])
    """
    from scipy.special import stdtrit  # here, so that pages start without scipy

    at = np.where(df > 0, df, np.nan)
    return np.asarray(stdtrit(at, 0.5 + CONFIDENCE / 2), dtype=np.float64)


def _safe_ratio(top: Floats, bottom: Floats) -> Floats:
    bottom = np.where(bottom > 0, bottom, np.nan)
    return np.asarray(top / bottom, dtype=np.float64)
