"""Fitness landscapes: optima, basins, fitness–distance and autocorrelation.

Two architectures are neighbors if they differ in one decision. Everything is exact:
sums and maxima run over the whole space, position by position.

Source: Jones and Forrest (1995) for fitness–distance correlation; Weinberger (1990)
for the autocorrelation of random walks.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.stats.array_types import Floats

Indices = NDArray[np.int64]


class BasinMap(NamedTuple):
    """Where steepest ascent ends.

    Args:
        optima: Indices of local optima in the space, the best first; shape (optimum,).
        basin: Position in `optima` of each architecture's optimum; −1 where there is
            no score; shape (architecture,).
        sizes: Number of architectures that climb to each optimum, itself included.
    """

    optima: Indices
    basin: Indices
    sizes: Indices


def find_basins(scores: Floats, radix: Sequence[int]) -> BasinMap:
    """Climb from every architecture to the best neighbor until none is better.

    Args:
        scores: By mixed-radix index; NaN where there is no architecture.
        radix: Number of options of each position.

    Returns:
        Optima and basins. Of equally good neighbors the first is taken; a neighbor
        that is only as good is not climbed to.

    >>> found = find_basins(np.array([0.1, 0.5, 0.3, 0.9, 0.2, 0.4]), (2, 3))
    >>> found.optima.tolist(), found.basin.tolist(), found.sizes.tolist()
    ([3, 1], [0, 1, 1, 0, 0, 0], [4, 2])
    """
    height = np.where(np.isfinite(scores), scores, -np.inf)
    goes = _steepest_neighbor(height, radix)
    # Pointer jumping: each round doubles the length of the climb.
    while True:
        further = goes[goes]
        if (further == goes).all():
            break
        goes = further
    there = np.isfinite(scores)
    peaks = np.unique(goes[there])
    peaks = peaks[np.argsort(-height[peaks], kind="stable")]
    place = np.full(len(scores), -1, np.int64)
    place[peaks] = np.arange(len(peaks))
    basin = np.where(there, place[goes], -1)
    sizes = np.bincount(basin[there], minlength=len(peaks))
    return BasinMap(peaks.astype(np.int64), basin, sizes.astype(np.int64))


def _steepest_neighbor(height: Floats, radix: Sequence[int]) -> Indices:
    """Return the index of the best of each architecture and its neighbors."""
    grid = height.reshape(tuple(radix))
    index = np.arange(grid.size).reshape(grid.shape)
    best, goes = grid.copy(), index.copy()
    for axis in range(grid.ndim):
        top = grid.argmax(axis=axis, keepdims=True)
        value = np.take_along_axis(grid, top, axis)
        where = np.take_along_axis(index, top, axis)
        better = value > best
        best = np.where(better, value, best)
        goes = np.where(better, where, goes)
    return np.asarray(goes.ravel(), np.int64)


class FitnessDistance(NamedTuple):
    """Scores by the number of decisions that differ from the best architecture.

    Args:
        correlation: Pearson's; −1 is one smooth hill, 0 gives a search no direction.
        distance: 0, 1, … changes.
        mean: Mean score at each distance.
        low: 10 % quantile of the scores.
        high: 90 % quantile.
        members: Number of architectures at each distance.
    """

    correlation: float
    distance: Indices
    mean: Floats
    low: Floats
    high: Floats
    members: Indices


def fitness_distance(scores: Floats, radix: Sequence[int]) -> FitnessDistance:
    """Correlate scores with the distance from the best architecture.

    Args:
        scores: By mixed-radix index; NaN where there is no architecture.
        radix: Number of options of each position.

    Returns:
        Arrays of shape (distance,); the correlation is NaN where nothing varies.

    >>> smooth = np.array([3.0, 2.0, 2.0, 1.0])
    >>> float(fitness_distance(smooth, (2, 2)).correlation)
    -1.0
    """
    there = np.flatnonzero(np.isfinite(scores))
    codes = np.stack(np.unravel_index(np.arange(len(scores)), tuple(radix)), -1)
    best = int(there[np.argmax(scores[there])])
    away = (codes[there] != codes[best]).sum(-1)
    found = scores[there].astype(np.float64)
    distance = np.unique(away)
    groups = [found[away == d] for d in distance]
    varied = found.std() > 0 and away.std() > 0
    return FitnessDistance(
        float(np.corrcoef(found, away)[0, 1].round(12)) if varied else float("nan"),
        distance,
        np.array([g.mean() for g in groups]),
        np.array([np.quantile(g, 0.1) for g in groups]),
        np.array([np.quantile(g, 0.9) for g in groups]),
        np.array([len(g) for g in groups]),
    )


def autocorrelation(scores: Floats, radix: Sequence[int], steps: int = 6) -> Floats:
    """Return the autocorrelation of the scores along an endless random walk.

    Each step changes one decision, all neighbors being equally likely. No walk is
    sampled: the expectation over all walks is computed.

    Args:
        scores: By mixed-radix index; NaN where there is no architecture.
        radix: Number of options of each position.
        steps: Largest lag.

    Returns:
        For lags 0 to `steps`, the first being 1; NaN where all scores are equal.

    >>> autocorrelation(np.array([0.0, 1.0]), (2,), 2).tolist()
    [1.0, -1.0, 1.0]
    """
    shape = tuple(radix)
    there = np.isfinite(scores).reshape(shape)
    degree = np.where(there, _sum_neighbors(there.astype(np.float64)), 0.0)
    total = degree.sum()
    if not total:
        return np.full(steps + 1, np.nan)
    weight = degree / total  # stationary distribution of the walk
    held = np.where(there, scores.reshape(shape), 0.0)
    held = np.where(there, held - (weight * held).sum(), 0.0)
    variance = (weight * held**2).sum()
    ahead, found = held, []
    for _ in range(steps + 1):
        found.append((weight * held * ahead).sum())
        ahead = np.where(there, _sum_neighbors(ahead) / np.maximum(degree, 1.0), 0.0)
    return np.array(found) / (variance if variance > 0 else np.nan)


def _sum_neighbors(grid: Floats) -> Floats:
    """Return the sum over each architecture's neighbors."""
    sums = [grid.sum(axis=axis, keepdims=True) - grid for axis in range(grid.ndim)]
    return np.asarray(sum(sums), np.float64)
