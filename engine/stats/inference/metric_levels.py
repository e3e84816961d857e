"""A metric's level: its mean and interval on its own scale, within its own limits."""

import numpy as np

from engine.contract.metrics import metric
from engine.stats.array_types import Floats
from engine.stats.inference.intervals import Band, Interval, mean_band

NEVER_NEGATIVE = (
    *("share", "steps", "ratio", "MSE", "share wrong or MSE"),
    *("evaluations", "unit of the space"),
)
# drawn on a log axis, and yet averaged as they are: so are all published ones, a
# regret is 0 where the best was found, and a censored price has a restricted mean
PLAIN = ("MSE", "share", "unit of the space")


def level(name: str, values: Floats) -> Interval:
    """Return a per-task metric's mean over replicates with its 95 % interval.

    Args:
        name: The metric; one with a log axis gets a geometric mean.
        values: One number a task; shape (replicate, task). Steps to a threshold
            hold the horizon where it was never met, so their mean is the
            restricted mean.
    """
    band = level_band(name, values)
    return Interval(float(band.mean), float(band.low), float(band.high), int(band.n))


def level_band(name: str, values: Floats) -> Band:
    """Return the same along further axes.

    Args:
        name: The metric.
        values: Shape (replicate, task, …).
    """
    band = mean_band(values, log=is_log(name))
    unit = metric(name).unit
    low = np.maximum(band.low, 0.0) if unit in NEVER_NEGATIVE else band.low
    high = np.minimum(band.high, 1.0) if unit == "share" else band.high
    return band._replace(low=low, high=high)


def is_log(name: str) -> bool:
    """Return whether a metric is averaged on the log scale."""
    found = metric(name)
    return found.scale == "log" and found.unit not in PLAIN
