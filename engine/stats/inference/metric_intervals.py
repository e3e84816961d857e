"""Mean and interval of a metric, on a scale on which it cannot leave its range.

No interval is cut off at an end of the range (see `bounded_intervals`):

* Shares, from 0 to 1: Wilson's score interval with the effective number of tasks
  p(1 − p) / SE², so that tasks of one replicate may be alike. Where all tasks are 0, or
  all are 1, SE is 0; then the number of tasks is used.
* Quantities with one end, such as squared errors, steps or a gain of at most 1: the
  same for a variance in proportion to the distance from the end.
* Losses and norms: t on the log scale, around the geometric mean.
* All others, such as a regret on noisy tests, which may be negative: t as it is.
"""

import numpy as np

from engine.contract.metrics import metric
from engine.stats.array_types import Floats
from engine.stats.inference.bounded_intervals import fit_band
from engine.stats.inference.intervals import Band, Interval, mean_band

EITHER = "share wrong or MSE"  # the unit of an error: the run decides which


def metric_interval(name: str, values: Floats, *, share: bool = False) -> Interval:
    """Return a per-task metric's mean over replicates with its 95 % interval.

    Args:
        name: The metric; it says whether its mean is geometric, and its range.
        values: One number a task; shape (replicate, task). Steps to a threshold
            hold the horizon where it was never reached, so their mean is the
            restricted mean.
        share: Whether errors of this run are shares of wrong answers, not MSE.

    Returns:
        Mean and interval in the metric's unit; `n` counts replicates.
    """
    band = metric_band(name, values, share=share)
    return Interval(float(band.mean), float(band.low), float(band.high), int(band.n))


def metric_band(name: str, values: Floats, *, share: bool = False) -> Band:
    """Return a metric's mean over replicates along further axes.

    Args:
        name: The metric; it says whether its mean is geometric, and its range.
        values: Shape (replicate, task, …); NaN is left out.
        share: Whether errors of this run are shares of wrong answers, not MSE.

    Returns:
        Band in the metric's unit, each part of shape (…).
    """
    band = mean_band(values, log=is_log(name))
    if is_log(name):
        return band
    counts = np.isfinite(values).sum(axis=(0, 1))
    kind = metric(name)
    ends = (0.0, 1.0) if share and kind.unit == EITHER else kind.ends
    return fit_band(band, ends, counts)


def is_log(name: str) -> bool:
    """Return whether a metric is averaged on the log scale."""
    return metric(name).mean == "geometric"
