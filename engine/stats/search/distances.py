"""Distances between architectures, coverage of a space, importance of decisions.

All one-hot codes of a space have the same norm, so they lie on a sphere. The angle
between two is arccos(1 − h / positions), h being their Hamming distance.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.stats.array_types import Floats

Indices = NDArray[np.int64]


class Coverage(NamedTuple):
    """How much of a space a search has covered.

    Args:
        distinct: Number of different architectures that were trained.
        share: Their share of the space.
        nearest: Mean angle from an architecture of the space to the nearest trained
            one, radians.
        within: Share of the space that was trained or is one change away.
    """

    distinct: int
    share: float
    nearest: float
    within: float


def geodesic(changes: Floats | Indices, positions: int) -> Floats:
    """Return the angle between one-hot codes.

    Args:
        changes: Hamming distances; any shape.
        positions: Number of decisions.

    Returns:
        Radians from 0 to π/2, same shape.

    >>> geodesic(np.array([0, 3, 6]), 6).round(3).tolist()
    [0.0, 1.047, 1.571]
    """
    return np.asarray(np.arccos(1.0 - np.asarray(changes) / positions), np.float64)


def measure_coverage(tried: Floats | Indices, radix: Sequence[int]) -> Coverage:
    """Measure how much of a listed space some trained architectures cover.

    Args:
        tried: Their mixed-radix indices, any shape; NaN and repeats allowed.
        radix: Number of options of each position.

    Returns:
        The coverage; of no architecture the angle is NaN.

    >>> found = measure_coverage(np.array([0.0, 0.0, np.nan]), (2, 2))
    >>> found.distinct, found.share, found.within
    (1, 0.25, 0.75)
    """
    held = np.asarray(tried, np.float64).ravel()
    seen = np.unique(held[np.isfinite(held)]).astype(np.int64)
    if not len(seen):
        return Coverage(0, 0.0, float("nan"), 0.0)
    away = distance_to_seen(seen, radix)
    return Coverage(
        len(seen),
        len(seen) / len(away),
        float(geodesic(away, len(radix)).mean()),
        float((away <= 1).mean()),
    )


def distance_to_seen(seen: Indices, radix: Sequence[int]) -> Indices:
    """Return the fewest changes from each architecture to one of those seen.

    The number of changes is a sum over positions, so the minimum is taken position
    by position over the whole space.

    Args:
        seen: Mixed-radix indices; shape (item,).
        radix: Number of options of each position.

    Returns:
        Hamming distances; shape (architecture,).
    """
    positions = len(radix)
    # One more than the largest distance stands for infinity.
    away = np.full(int(np.prod(radix)), positions + 1, np.int64)
    away[seen] = 0
    grid = away.reshape(tuple(radix))
    for axis in range(positions):
        grid = np.minimum(grid, grid.min(axis=axis, keepdims=True) + 1)
    return np.asarray(grid.ravel(), np.int64)


def neighbors(index: int, radix: Sequence[int]) -> Indices:
    """Return all architectures one change away.

    Args:
        index: Mixed-radix index of an architecture.
        radix: Number of options of each position.

    Returns:
        Their indices; shape (neighbor,).

    >>> neighbors(0, (2, 3)).tolist()
    [3, 1, 2]
    """
    after = [int(np.prod(radix[p + 1 :])) for p in range(len(radix))]
    found = []
    for each, count in zip(after, radix, strict=True):
        option = index // each % count
        found += [index + (o - option) * each for o in range(count) if o != option]
    return np.array(found, np.int64)


class DecisionImportance(NamedTuple):
    """The main effect of each decision on the scores.

    Args:
        share: Share of the variance that each decision explains alone; (position,).
        ranks: Rank of each option of a decision by mean score, 0 being the best.
    """

    share: Floats
    ranks: tuple[Indices, ...]


def decision_importance(
    scores: Floats | None, radix: Sequence[int]
) -> DecisionImportance:
    """Return each decision's main effect; options keep their order without scores.

    Args:
        scores: By mixed-radix index, NaN where unknown; None if none is known.
        radix: Number of options of each position.

    Returns:
        Shares of variance and ranks of options.

    >>> decision_importance(np.array([0.0, 0.0, 1.0, 1.0]), (2, 2)).share.tolist()
    [1.0, 0.0]
    """
    plain = tuple(np.arange(r) for r in radix)
    if scores is None or not np.isfinite(scores).any():
        return DecisionImportance(np.zeros(len(radix)), plain)
    flat = np.asarray(scores, np.float64)
    there = np.isfinite(flat)
    codes = np.unravel_index(np.arange(len(flat)), tuple(radix))
    share, ranks, middle = [], [], flat[there].mean()
    for code, count in zip(codes, radix, strict=True):
        number = np.bincount(code[there], minlength=count)
        total = np.bincount(code[there], flat[there], minlength=count)
        # An option without a score is ranked as average.
        mean = np.where(number > 0, total / np.maximum(number, 1), middle)
        share.append((number * (mean - middle) ** 2).sum())
        ranks.append(np.argsort(np.argsort(-mean, kind="stable"), kind="stable"))
    whole = ((flat[there] - middle) ** 2).sum()
    return DecisionImportance(np.array(share) / (whole or 1.0), tuple(ranks))
