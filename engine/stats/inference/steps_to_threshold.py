"""Steps to a threshold: times that the horizon may censor.

A run that never reached the threshold did not reach it at the horizon, and a mean
over the runs that did hides every run that failed. So a time is a pair
(step, reached); `survival` turns such pairs into curves and restricted means.

A diverged run never reaches the threshold and counts with the whole horizon; leaving
it out would reward the learner that diverges.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Bools, Floats


class Crossing(NamedTuple):
    """When each run first reached the threshold; arrays of one shape.

    Args:
        step: First step at or below it; the horizon where it was never reached.
        reached: Whether it was reached.
    """

    step: Floats
    reached: Bools


def find_crossing(loss: Floats, threshold: float | Floats) -> Crossing:
    """Find the first step at or below the threshold; NaN is never below it.

    Args:
        loss: Loss after every step, nats; shape (…, step).
        threshold: The level to reach, nats; NaN is never reached.

    Returns:
        The pair, each of shape (…).

    >>> find_crossing(np.array([3.0, np.nan, np.nan]), 2.0).reached
    array(False)
    """
    return _first_crossing(np.asarray(loss <= threshold))


def means_of_the_rest(trace: Floats) -> Floats:
    """Return the mean of a trace from each step to its end.

    A level that these means reach holds from there on, so that a single lucky step
    counts for little. The last quarter of the steps, but for the first of them, is left
    out (infinite): a rest must be at least a quarter.

    Args:
        trace: Shape (…, step).

    Returns:
        The same shape.

    >>> means_of_the_rest(np.array([3.0, 1.0, 2.0, 0.0])).round(2).tolist()
    [1.5, 1.0, 1.0, 0.0]
    """
    count = trace.shape[-1]
    left = np.arange(count, 0, -1)
    means = np.cumsum(trace[..., ::-1], axis=-1)[..., ::-1] / left
    return np.where(left >= max(1, count // 4), means, np.inf)


def _first_crossing(below: Bools) -> Crossing:
    reached = np.asarray(below.any(axis=-1))
    horizon = below.shape[-1] - 1
    step = np.where(reached, below.argmax(axis=-1), horizon)
    return Crossing(step.astype(np.float64), reached)


def recovery(loss: Floats, drift_start: int) -> Crossing:
    """Find how long each run takes to return to its level before the drift.

    Args:
        loss: Loss after every step, nats; shape (…, step).
        drift_start: First step whose loss is measured on the drifted task.

    Returns:
        step: Steps from the drift until the loss is at or below its level just
            before; all remaining steps where it never returned.
        reached: Whether it returned.

    Raises:
        ValueError: If no step lies before the drift, or none after it.

    >>> recovery(np.array([3.0, 1.0, 4.0, 2.0, 0.5]), 2)
    Crossing(step=array(2.), reached=array(True))
    """
    if not 1 <= drift_start < loss.shape[-1]:
        last = loss.shape[-1] - 1
        raise ValueError(f"the drift must start at step 1 to {last}, not {drift_start}")
    level = loss[..., drift_start - 1 : drift_start]
    return _first_crossing(np.asarray(loss[..., drift_start:] <= level))
