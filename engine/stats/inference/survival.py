"""Survival curves of censored times, and the restricted mean under them.

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
    """The share of runs that have not reached the threshold, after each step.

    Args:
        step: 0 to the horizon; shape (step,).
        share: Share of runs; shape (step,).
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Independent units: replicates where there are several, else runs.
    """

    step: Floats
    share: Floats
    low: Floats
    high: Floats
    n: int


def kaplan_meier(step: Floats, reached: Bools, horizon: int) -> Survival:
    """Return the product-limit curve of independent times.

    Args:
        step: Time of the event or of censoring, whole steps; shape (run,).
        reached: Whether it was an event; shape (run,).
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
    # Where all have reached it the share is 0, whatever the variance.
    left = at_risk * np.maximum(at_risk - events, 1)
    error = share * np.sqrt(np.cumsum(events / left))
    return Survival(times, share, *_log_log_bounds(share, error, NORMAL), n=len(step))


def survival_over_replicates(step: Floats, reached: Bools, horizon: int) -> Survival:
    """Return the survival curve with a band over replicates.

    Runs are censored only at the horizon, so the product-limit curve is the plain
    share. Runs of one replicate share a training, so the band comes from the variance
    between replicates; with a single replicate it is Greenwood's.

    Args:
        step: First step at or below the threshold; shape (replicate, task).
        reached: False where it was never reached; same shape.
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
        step: Steps to the threshold, the horizon where it was never reached; shape
            (replicate, task). Runs are censored only at the horizon, so the area under
            the curve is their plain mean.

    Returns:
        The mean, in steps.
    """
    return metric_interval("steps_to_threshold", step)


def _log_log_bounds(
    share: Floats, error: Floats, width: float
) -> tuple[Floats, Floats]:
    """Bound a share on the scale log(−log S), where it cannot leave [0, 1]."""
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)  # at 0 and 1 the scale is infinite
    half = width * error / np.abs(safe * np.log(safe))
    low = np.where(inside, safe ** np.exp(half), share)
    high = np.where(inside, safe ** np.exp(-half), share)
    return low, high
