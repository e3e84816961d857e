"""Intervals of means of bounded quantities, on scales on which they stay in range.

A t interval, mean ± t·SE, is symmetric and may pass 0 or 1; cut off there, it would
claim more than it knows, and a share of 1 in every replicate would have no width.

Coverage of the true mean, %, in 20,000 simulated runs of 8 replicates × 8 tasks
(`python -m tests.benchmarks.metric_intervals`); cutting off changes none of column t:

============================================  =====  =========
quantity                                      t      used here
============================================  =====  =========
reached, 0.5, independent tasks               94.4   95.8
reached, 0.95, independent tasks              96.0   97.5
reached, 0.99, independent tasks              46.9   97.5
reached, 0.9, correlated 0.3 in a replicate   84.3   94.3
accuracy, 0.9, 75 queries                     95.0   95.2
accuracy, 0.98, 75 queries                    93.6   94.7
log-normal, sd 0.5 tasks, 0.2 replicates      93.9   94.5
log-normal, sd 1 tasks, 0.5 replicates        89.5   91.7
log-normal, sd 1.5 tasks, 1 replicates        76.5   82.8
============================================  =====  =========

No interval of a mean over eight replicates holds its level with the heavy tail of the
last row; such quantities are better averaged on the log scale.

Source: Wilson (1927), JASA 22; Korn and Graubard (1998), Survey Methodology 24, for
the effective number of values.
"""

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.intervals import Band, t_critical


def fit_band(band: Band, ends: tuple[float, float], counts: Floats) -> Band:
    """Return a t band as score intervals, which never leave the range of the mean.

    Args:
        band: Means with t intervals; each part of shape (…).
        ends: The range of the mean; infinite where there is no end.
        counts: Tasks behind each mean; shape (…).

    Returns:
        The same means. With two ends, Wilson's interval; with one, that of a variance
        in proportion to the distance from the end; without ends, the t interval.
    """
    least, most = ends
    if np.isinf(least) and np.isinf(most):
        return band
    if np.isinf(least):  # measured downwards from the upper end
        flipped = Band(-band.mean, -band.high, -band.low, band.n)
        found = _score_band(flipped, -most, np.inf, counts)
        return Band(band.mean, -found.high, -found.low, band.n)
    return _score_band(band, least, most - least, counts)


def _score_band(band: Band, least: float, width: float, counts: Floats) -> Band:
    away, half = band.mean - least, band.high - band.mean
    room = away * (1.0 - away / width)
    # With n = p(1 − p) / SE², Wilson's z² / n is (t·SE)² / p(1 − p).
    stretch = half**2 / np.where(room > 0, room, np.nan)
    # All values at one end: SE is 0, and tasks count as independent.
    at_end = t_critical(band.n - 1) ** 2 / np.maximum(counts, 1)
    at_end = width * at_end if np.isfinite(width) else half
    stretch = np.where(room == 0, at_end, stretch)
    middle, reach = away + stretch / 2, np.sqrt(half**2 + stretch**2 / 4)
    shrink = 1.0 + stretch / width
    inside = room >= 0  # noise may put a mean outside, where there is no such interval
    return band._replace(
        low=np.where(inside, least + (middle - reach) / shrink, band.low),
        high=np.where(inside, least + (middle + reach) / shrink, band.high),
    )
