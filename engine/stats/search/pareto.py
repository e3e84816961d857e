"""Two aims at once: which architectures nobody beats, and how much they cover.

Source: Zitzler and Thiele (1998), PPSN V, LNCS 1498, the hypervolume; in two
dimensions it is a sum of rectangles, exact.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats, Places
from engine.stats.inference.intervals import Band, mean_band


class Front(NamedTuple):
    """What nothing beats in both aims, from the cheapest on; arrays (point,)."""

    place: Places
    score: Floats
    price: Floats


def front(score: Floats, price: Floats) -> Front:
    """Return the architectures that no other beats: as good for less, or better.

    Args:
        score: More is better; shape (item,). NaN is nothing.
        price: Less is better, such as parameters; shape (item,). NaN is nothing.

    Returns:
        Of equal ones the first; by rising price, and so by rising score.

    >>> front(np.array([0.9, 0.8, 0.7]), np.array([3.0, 1.0, 2.0])).place.tolist()
    [1, 0]
    """
    known = np.flatnonzero(np.isfinite(score) & np.isfinite(price))
    order = known[np.lexsort((-score[known], price[known]))]
    before = np.maximum.accumulate(np.concatenate([[-np.inf], score[order]]))[:-1]
    place = order[score[order] > before]
    return Front(place, score[place], price[place])


def hypervolume(
    score: Floats, price: Floats, worst: tuple[float, float] = (0.0, 1.0)
) -> float:
    """Return the area between a front and the worst point.

    Args:
        score: Shape (item,); only what is above the worst score counts.
        price: Shape (item,); only what is below the worst price counts.
        worst: Score and price of the point that everything must beat.

    >>> hypervolume(np.array([0.5, 1.0]), np.array([0.25, 0.5]))
    0.625
    """
    found = front(score, price)
    inside = (found.score > worst[0]) & (found.price < worst[1])
    tops, sides = found.score[inside] - worst[0], worst[1] - found.price[inside]
    steps = np.diff(np.concatenate([[0.0], tops]))
    return float((steps * sides).sum())


class Volumes(NamedTuple):
    """Hypervolume of what searches have trained, by evaluations.

    Args:
        evaluation: Where it was looked; shape (point,).
        band: Mean over searches with its 95 % interval, as a share of what the whole
            space covers where that is known.
        best: What the whole space covers; NaN where it is not known.
    """

    evaluation: Places
    band: Band
    best: float


def volumes(
    architecture: Floats, score: Floats, price: Floats, at: Places | None = None
) -> Volumes:
    """Return how much of the whole space's front searches have covered.

    Args:
        architecture: Index of what was trained; shape (search, step), NaN for nothing.
        score: Of every architecture, by index; NaN where there is none.
        price: Likewise, such as parameters.
        at: Evaluations, counted from 1, at which it is looked; by default 24 of them.

    Returns:
        Prices count from the cheapest to the dearest of the space, scores from the
        worst to the best, so that both aims weigh the same.
    """
    tops, sides = scaled(score), scaled(price)
    best = hypervolume(tops, sides)
    steps = architecture.shape[-1]
    looked = np.unique(np.geomspace(1, steps, 24).round().astype(np.int64))
    looked = looked if at is None else at
    rows = [
        [_volume(row[:step], tops, sides) / best if best else np.nan for step in looked]
        for row in architecture
    ]
    return Volumes(looked, mean_band(np.array(rows)[:, None]), best)


def scaled(values: Floats) -> Floats:
    """Return numbers from 0 at the lowest to 1 at the highest; NaN stays.

    >>> scaled(np.array([2.0, 4.0, 3.0])).tolist()
    [0.0, 1.0, 0.5]
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return np.asarray((values - low) / ((high - low) or 1.0), dtype=np.float64)


def _volume(tried: Floats, score: Floats, price: Floats) -> float:
    seen = np.unique(tried[np.isfinite(tried)]).astype(np.int64)
    return hypervolume(score[seen], price[seen])
