"""Steps to a threshold: times that may be cut off by the horizon.

A run that never got there is not a run that got there at the horizon, and a
mean over the finishers hides every run that failed. So a time comes as a pair
(step, reached); `survival` makes curves and restricted means of such pairs.

A diverged run never gets there. It stays "not yet" to the end, so it counts
with the whole horizon; leaving it out would reward the learner that blows up.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Bools, Floats


class Crossing(NamedTuple):
    """When each run first got there.

    `step` is the horizon where `reached` is False.
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


def _first_crossing(below: Bools) -> Crossing:
    reached = np.asarray(below.any(axis=-1))
    horizon = below.shape[-1] - 1
    step = np.where(reached, below.argmax(axis=-1), horizon)
    return Crossing(step.astype(np.float64), reached)


def recovery(loss: Floats, drift_start: int) -> Crossing:
    """Find how long each run takes to be back where it was before the drift.

    Args:
        loss: Loss after every step, nats; shape (…, step).
        drift_start: First step whose loss is measured on the drifted task.

    Returns:
        step: Steps from the drift until the loss is at or below its level just
            before; the steps that were left where it never came back.
        reached: Whether it came back.

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
