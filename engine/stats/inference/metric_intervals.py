"""Mean and interval of a metric, on its own scale and within its range."""

import numpy as np

from engine.contract.metrics import metric
from engine.stats.array_types import Floats
from engine.stats.inference.intervals import Band, Interval, mean_band


def metric_interval(name: str, values: Floats) -> Interval:
    """Return a per-task metric's mean over replicates with its 95 % interval.

    Args:
        name: The metric; it says whether its mean is geometric.
        values: One number a task; shape (replicate, task). Steps to a threshold
            hold the horizon where it was never reached, so their mean is the
            restricted mean.

    Returns:
        Mean and interval in the metric's unit; `n` counts replicates.
    """
    band = metric_band(name, values)
    return Interval(float(band.mean), float(band.low), float(band.high), int(band.n))


def metric_band(name: str, values: Floats) -> Band:
    """Return a metric's mean over replicates along further axes.

    Args:
        name: The metric; it says whether its mean is geometric.
        values: Shape (replicate, task, …); NaN is left out.

    Returns:
        Band in the metric's unit, each part of shape (…).
    """
    band = mean_band(values, log=is_log(name))
    # A t interval is symmetric and may leave the range, such as an accuracy of 1.
    least, most = metric(name).ends
    low, high = np.maximum(band.low, least), np.minimum(band.high, most)
    return band._replace(low=low, high=high)


def is_log(name: str) -> bool:
    """Return whether a metric is averaged on the log scale."""
    return metric(name).mean == "geometric"
