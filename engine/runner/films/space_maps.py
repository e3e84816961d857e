"""Maps of a search space, flat and on a sphere, with their quality and its optima.

The maps are nested, not fitted: the options of the most important decision are far
apart; around each of them are those of the next one, closer together, and so on.
Nothing is random. No map of so many dimensions is faithful, so its trustworthiness and
its stress are measured and stored with it.

Source: Venna and Kaski (2001) for trustworthiness; Kruskal (1964) for stress.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.manifold import trustworthiness

from engine.stats.search.distances import (
    DecisionImportance,
    decision_importance,
    geodesic,
)
from engine.stats.search.fitness_landscape import autocorrelation, find_basins

# Architectures that measure a map's quality, and neighbors of each.
SAMPLE, NEIGHBORS = 800, 10
LOOSE = 0.92  # of the size at which nested polygons would touch
FIRST = 0.55  # radians between the first decision's options and the second's
Arrays = dict[str, np.ndarray]


class MapQuality(NamedTuple):
    """The quality of a map.

    Args:
        trust: Trustworthiness, 0 to 1; 1 is best.
        stress: Kruskal's stress 1; 0 is best.
    """

    trust: float
    stress: float


def geometry(
    radix: Sequence[int], scores: Float[np.ndarray, " architecture"] | None
) -> tuple[Arrays, dict[str, object]]:
    """Map a listed space, and describe its fitness landscape if scores are known.

    Args:
        radix: How many options each position has.
        scores: By mixed-radix index; NaN where there is no architecture.

    Returns:
        Arrays `sphere/xyz` (architecture, 3) and `map/xy` (architecture, 2), with
        scores also `landscape/optima`, best first, and `landscape/basin`, the index
        of each architecture's optimum among them, −1 where it is absent; and JSON with
        the maps' quality, the decisions' importance and the ruggedness.
    """
    known = decision_importance(scores, radix)
    maps = {"sphere": sphere_map(radix, known), "map": flat_map(radix, known)}
    there = None if scores is None else np.isfinite(scores)
    sample = sample_indices(int(np.prod(radix)), there)
    info: dict[str, object] = {"matter": known.share.round(6).tolist()}
    for name, points in maps.items():
        found = map_quality(points, radix, sample)
        info[name] = {
            "trust": _round_or_none(found.trust),
            "stress": _round_or_none(found.stress),
        }
    info |= {"sample": len(sample), "neighbors": NEIGHBORS}
    arrays: Arrays = {
        "sphere/xyz": maps["sphere"].astype(np.float32),
        "map/xy": maps["map"].astype(np.float32),
    }
    if scores is not None and there is not None and there.any():
        flat = np.asarray(scores, np.float64)
        climbed = find_basins(flat, radix)
        arrays["landscape/optima"] = climbed.optima.astype(np.int32)
        arrays["landscape/basin"] = climbed.basin.astype(np.int32)
        info["walk"] = [_round_or_none(r) for r in autocorrelation(flat, radix)]
    return arrays, info


def _round_or_none(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def flat_map(
    radix: Sequence[int], known: DecisionImportance
) -> Float[np.ndarray, "architecture 2"]:
    """Map a space to the plane, by nested polygons.

    Args:
        radix: How many options each position has.
        known: How much each decision matters, and its options' ranks.

    Returns:
        Coordinates by mixed-radix index; shape (architecture, 2).
    """
    codes = np.unravel_index(np.arange(int(np.prod(radix))), tuple(radix))
    found, size = np.zeros((len(codes[0]), 2)), 1.0
    for position in _order(radix, known):
        found += (
            size * _corners(radix[position])[known.ranks[position]][codes[position]]
        )
        size *= _shrink_factor(radix[position])
    return found


def sphere_map(
    radix: Sequence[int], known: DecisionImportance
) -> Float[np.ndarray, "architecture 3"]:
    """Map a space to the unit sphere: its first decision, and polygons around that.

    Args:
        radix: How many options each position has.
        known: How much each decision matters, and its options' ranks.

    Returns:
        Unit vectors by mixed-radix index; shape (architecture, 3).
    """
    codes = np.unravel_index(np.arange(int(np.prod(radix))), tuple(radix))
    first, *rest = _order(radix, known)
    found = _sphere_points(radix[first])[known.ranks[first]][codes[first]]
    size = FIRST
    for position in rest:
        corners = _corners(radix[position])[known.ranks[position]]
        offset = size * corners[codes[position]]
        east, north = _tangents(found)
        found = _normalize(found + offset[:, :1] * east + offset[:, 1:] * north)
        size *= _shrink_factor(radix[position])
    return found


def _order(radix: Sequence[int], known: DecisionImportance) -> list[int]:
    """Return the positions with a choice, the most important one first."""
    free = [p for p, count in enumerate(radix) if count > 1] or [0]
    # Rounded, so that rounding errors do not order equal shares by machine.
    return sorted(free, key=lambda p: (-float(known.share[p].round(12)), p))


def _corners(count: int) -> Float[np.ndarray, "option 2"]:
    """Return points on a circle, clockwise from the top; one alone at the center."""
    turn = np.pi / 2 - 2 * np.pi * np.arange(count) / count
    corners = np.stack([np.cos(turn), np.sin(turn)], -1)
    return corners if count > 1 else np.zeros((1, 2))


def _shrink_factor(count: int) -> float:
    """Return the size of nested regular polygons at which they nearly touch."""
    if count == 1:
        return 1.0
    inner = np.cos(2 * np.pi * np.arange(1, count // 4 + 1) / count).sum()
    return LOOSE / (2 * (1 + float(inner)))


def _sphere_points(count: int) -> Float[np.ndarray, "option 3"]:
    """Return points spread evenly over the sphere, from the north pole down."""
    place = np.arange(count)  # a Fibonacci spiral: each turns by the golden angle
    z = 1 - (2 * place + 1) / count
    turn = place * np.pi * (3 - 5**0.5)
    wide = np.sqrt(1 - z**2)
    found = np.stack([wide * np.cos(turn), wide * np.sin(turn), z], -1)
    return (
        _normalize(found - found.mean(0)) if count > 1 else np.array([[0.0, 0.0, 1.0]])
    )


def _tangents(
    points: Float[np.ndarray, "point 3"],
) -> tuple[Float[np.ndarray, "point 3"], Float[np.ndarray, "point 3"]]:
    """Return the directions east and north at each point of the sphere."""
    east = np.stack([-points[:, 1], points[:, 0], np.zeros(len(points))], -1)
    pole = np.linalg.norm(east, axis=1) < 1e-9  # east is not defined there: take x
    east[pole] = (1.0, 0.0, 0.0)
    east = _normalize(east)
    return east, np.cross(points, east)


def _normalize(
    points: Float[np.ndarray, "point axis"],
) -> Float[np.ndarray, "point axis"]:
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def map_quality(
    points: Float[np.ndarray, "architecture axis"],
    radix: Sequence[int],
    sample: Int[np.ndarray, " sample"],
) -> MapQuality:
    """Measure the quality of a map, on some of its architectures.

    Args:
        points: Shape (architecture, 2) in the plane, or (architecture, 3) on the unit
            sphere, where the map's distance is the angle.
        radix: How many options each position has.
        sample: Indices of the architectures to use.

    Returns:
        Trustworthiness of the 10 nearest, and Kruskal's stress 1 after the best
        scaling, both against the angle between codes.
    """
    if len(sample) < 2:
        return MapQuality(float("nan"), float("nan"))
    codes = np.stack(np.unravel_index(sample, tuple(radix)), -1)
    true = geodesic((codes[:, None] != codes[None]).sum(-1), len(radix))
    here = points[sample]
    if points.shape[1] == 3:
        # Clipped: rounding may leave a cosine just outside of [-1, 1].
        drawn = np.arccos((here @ here.T).clip(-1.0, 1.0))
    else:
        drawn = np.sqrt(((here[:, None] - here[None]) ** 2).sum(-1))
    pairs = np.triu_indices(len(sample), 1)
    d, t = drawn[pairs], true[pairs]
    scaled = t * ((d @ t) / (t @ t))
    stress = float(np.sqrt(((d - scaled) ** 2).sum() / (d @ d)))
    near = min(NEIGHBORS, (len(sample) - 1) // 2)  # trustworthiness needs under half
    if near < 1:
        return MapQuality(float("nan"), stress)
    trust = trustworthiness(true, here, n_neighbors=near, metric="precomputed")
    return MapQuality(float(trust), stress)


def sample_indices(
    size: int, there: Bool[np.ndarray, " architecture"] | None = None
) -> Int[np.ndarray, " sample"]:
    """Return up to 800 indices, evenly spread but not in step with the codes.

    Args:
        size: Number of indices.
        there: Which of them exist; all if None.

    >>> len(sample_indices(15_625)), sample_indices(5).tolist()
    (800, [0, 1, 2, 3, 4])
    """
    present = np.arange(size) if there is None else np.flatnonzero(there)
    if len(present) <= SAMPLE:
        return present
    # The golden ratio's multiples are spread evenly and never periodic.
    share = (np.arange(SAMPLE) * (5**0.5 - 1) / 2) % 1.0
    return present[np.unique(np.floor(share * len(present)).astype(np.int64))]
