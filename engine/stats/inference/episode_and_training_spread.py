"""Spread over episodes and spread over trainings, which must not be confused.

Papers give mean ± 1.96 sd/√E over the E episodes that one training was tested on.
It says how precise the mean over episodes is, not how much another training would
differ; that is the spread over replicates. Both are given, each under its own name.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.intervals import finite_mean, mean_interval
from engine.stats.inference.survival import NORMAL


class Spread(NamedTuple):
    """A mean with both of its spreads; NaN where there are too few values.

    Args:
        mean: Over all episodes of all trainings.
        half: 1.96 sd/√E over the episodes of one training, as papers give it.
        sd_episodes: Standard deviation over the episodes of one training.
        sd_trainings: Standard deviation over the trainings' own means.
        low: Lower end of the 95 % interval over trainings (Student's t).
        high: Upper end.
        trainings: Number of trainings.
        episodes: E, the number of episodes of each training.
    """

    mean: float
    half: float
    sd_episodes: float
    sd_trainings: float
    low: float
    high: float
    trainings: int
    episodes: int


def compute_spread(values: Floats) -> Spread:
    """Return a per-episode number's mean and spreads.

    Args:
        values: Shape (replicate, episode); NaN is left out, so count what diverged
            beside it.

    Returns:
        Mean and spreads in the unit of the values.

    >>> found = compute_spread(np.array([[0.0, 1.0], [0.0, 1.0]]))
    >>> found.mean, found.sd_trainings, round(found.half, 2)
    (0.5, 0.0, 0.98)
    """
    values = np.asarray(values, dtype=np.float64)
    means = finite_mean(values, 1)
    there = np.isfinite(values)
    apart = np.where(there, values - means[:, None], 0.0)
    free = np.maximum(there.sum(axis=1) - 1, 0)
    # Pooled within trainings, so that differences between trainings do not enter.
    within = _root(float((apart**2).sum()), float(free.sum()))
    whole = mean_interval(values)
    known = means[np.isfinite(means)]
    between = _root(float(((known - known.mean()) ** 2).sum()), len(known) - 1.0)
    each = float(there.sum()) / max(1, len(known))
    half = NORMAL * within / each**0.5 if each else float("nan")
    return Spread(
        whole.mean,
        half,
        within,
        between,
        whole.low,
        whole.high,
        trainings=len(known),
        episodes=round(each),
    )


def _root(squares: float, free: float) -> float:
    return float(np.sqrt(squares / free)) if free > 0 else float("nan")
