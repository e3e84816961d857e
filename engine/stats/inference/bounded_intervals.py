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
log-normal, sd 0.5 tasks, 0.2 replicates      93.9   94.6
log-normal, sd 1 tasks, 0.5 replicates        89.5   91.9
log-normal, sd 1.5 tasks, 1 replicates        76.5   83.8
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
    """Return a t band on the scale of a range, which its interval then never leaves.

    Args:
        band: Means with t intervals; each part of shape (…).
        ends: The range of the mean; infinite where there is no end.
        counts: Tasks behind each mean; shape (…).

    Returns:
        The same means with Wilson's interval in a range with two ends, with t on the
        log of the distance in a range with one end, and as it was without ends.
    """
    least, most = ends
    if np.isfinite(least) and np.isfinite(most):
        return _wilson_band(band, least, most - least, counts)
    if np.isfinite(least):
        return _one_ended_band(band, least)
    return _one_ended_band(band, most) if np.isfinite(most) else band


def _wilson_band(band: Band, least: float, width: float, counts: Floats) -> Band:
    p, half = (band.mean - least) / width, (band.high - band.mean) / width
    room = p * (1.0 - p)
    # Wilson's z² / n: with n = p(1 − p) / SE² it is (t · SE)² / p(1 − p).
    spread = half**2 / np.where(room > 0, room, np.nan)
    at_end = t_critical(band.n - 1) ** 2 / np.maximum(counts, 1)
    k = np.where((p == 0) | (p == 1), at_end, spread)
    middle, reach = p + k / 2, np.sqrt(half**2 + k**2 / 4)
    low, high = (middle - reach) / (1 + k), (middle + reach) / (1 + k)
    inside = (p >= 0) & (p <= 1)  # a mean outside the range has no Wilson interval
    return band._replace(
        low=np.where(inside, least + width * low, band.low),
        high=np.where(inside, least + width * high, band.high),
    )


def _one_ended_band(band: Band, end: float) -> Band:
    away = band.mean - end
    size = np.abs(away)
    # All values at the end: no spread, and no logarithm.
    ratio = np.exp((band.high - band.mean) / np.where(size > 0, size, 1.0))
    near, far = end + away / ratio, end + away * ratio
    return band._replace(low=np.minimum(near, far), high=np.maximum(near, far))
