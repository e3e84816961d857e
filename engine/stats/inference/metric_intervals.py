"""A metric's level: its mean and interval on its own scale, within its own limits."""

import numpy as np

from engine.contract.metrics import metric
from engine.stats.array_types import Floats
from engine.stats.inference.intervals import Band, Interval, mean_band


def metric_interval(name: str, values: Floats) -> Interval:
    """Return a per-task metric's mean over replicates with its 95 % interval.

    Args:
        name: The metric; it says whether its mean is geometric.
        values: One number a task; shape (replicate, task). Steps to a threshold
            hold the horizon where it was never met, so their mean is the
            restricted mean.
    """
    band = metric_band(name, values)
    return Interval(float(band.mean), float(band.low), float(band.high), int(band.n))


def metric_band(name: str, values: Floats) -> Band:
    """Return the same along further axes.

    Args:
        name: The metric.
        values: Shape (replicate, task, …).
    """
    band = mean_band(values, log=is_log(name))
    least, most = metric(name).ends
    low, high = np.maximum(band.low, least), np.minimum(band.high, most)
    return band._replace(low=low, high=high)


def is_log(name: str) -> bool:
    """Return whether a metric is averaged on the log scale."""
    return metric(name).mean == "geometric"
