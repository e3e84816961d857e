"""Censored times: the share not there yet, and the area under it.

Source: Kaplan and Meier (1958), JASA 53; Greenwood (1926); Royston and Parmar
(2013), BMC Medical Research Methodology 13:152, the restricted mean.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Bools, Floats
from engine.stats.inference.intervals import Interval, t_critical
from engine.stats.inference.metric_intervals import metric_interval

NORMAL = 1.959963984540054  # standard errors of a 95 % interval


class Survival(NamedTuple):
    """The share of runs that are not there yet, after each step.

    `low` and `high` bound it with 95 % confidence; `n` counts what was free to
    vary: replicates where there are several, else runs.
    """

    step: Floats
    share: Floats
    low: Floats
    high: Floats
    n: int


def kaplan_meier(step: Floats, reached: Bools, horizon: int) -> Survival:
    """Return the product-limit curve of independent times.

    Args:
        step: Time of arrival, or of the last look; shape (run,), whole steps.
        reached: Whether it was an arrival.
        horizon: Last step of the curve.

    Returns:
        The curve at steps 0 to the horizon, with Greenwood's variance on the
        log-log scale.

    >>> curve = kaplan_meier(np.array([1.0, 2.0]), np.array([True, False]), 2)
    >>> curve.share.tolist()
    [1.0, 0.5, 0.5]
    """
    times = np.arange(horizon + 1.0)
    events = ((step[:, None] == times) & reached[:, None]).sum(axis=0)
    at_risk = np.maximum((step[:, None] >= times).sum(axis=0), 1)
    share = np.cumprod(1.0 - events / at_risk)
    left = at_risk * np.maximum(at_risk - events, 1)  # all gone: the share is 0
    error = share * np.sqrt(np.cumsum(events / left))
    return Survival(times, share, *_log_log_bounds(share, error, NORMAL), n=len(step))


def survival_over_replicates(step: Floats, reached: Bools, horizon: int) -> Survival:
    """Return the share of runs not there yet, with a band over replicates.

    Every run was watched to the horizon, so the product-limit curve is the plain
    share; runs of one replicate share what was learned, so the band comes from
    the spread between replicates, and with one replicate from Greenwood.

    Args:
        step: First step at or below the threshold; shape (replicate, task).
        reached: False where it never got there.
        horizon: Last step.

    Returns:
        The curve at steps 0 to the horizon.

    >>> survival_over_replicates(np.array([[1.0, 2.0]]), np.array([[True, False]]),
    ...     2).share.tolist()
    [1.0, 0.5, 0.5]
    """
    if len(step) == 1:
        return kaplan_meier(step[0], reached[0], horizon)
    times = np.arange(horizon + 1.0)
    waiting = ~((step[..., None] <= times) & reached[..., None])
    shares = waiting.mean(axis=1)
    share, n = np.asarray(shares.mean(axis=0)), len(shares)
    error = shares.std(axis=0, ddof=1) / n**0.5
    width = float(t_critical(np.array(n - 1.0)))
    return Survival(times, share, *_log_log_bounds(share, error, width), n=n)


def restricted_interval(step: Floats) -> Interval:
    """Return the restricted mean with its 95 % interval over replicates.

    Args:
        step: Steps to the threshold, the horizon where it was never met; shape
            (replicate, task). All were watched to the horizon, so the area under
            the curve is their plain mean.
    """
    return metric_interval("steps_to_threshold", step)


def _log_log_bounds(
    share: Floats, error: Floats, width: float
) -> tuple[Floats, Floats]:
    """Bound a share on the scale log(−log S), where it cannot leave [0, 1]."""
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    half = width * error / np.abs(safe * np.log(safe))
    low = np.where(inside, safe ** np.exp(half), share)
    high = np.where(inside, safe ** np.exp(-half), share)
    return low, high
