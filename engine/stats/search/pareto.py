"""Pareto fronts of two objectives, and their hypervolume.

Source: Zitzler and Thiele (1998), PPSN V, LNCS 1498, the hypervolume; in two
dimensions it is a sum of rectangles, exact.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats, Indices


class ParetoFront(NamedTuple):
    """The architectures that none dominates, from the cheapest on; arrays (point,)."""

    place: Indices
    score: Floats
    price: Floats


def pareto_front(score: Floats, price: Floats) -> ParetoFront:
    """Return the architectures that no other dominates.

    Args:
        score: More is better; shape (item,). Items with NaN are left out.
        price: Less is better, such as parameters; shape (item,), likewise.

    Returns:
        Of equal ones the first; by rising price, and so by rising score.

    >>> pareto_front(np.array([0.9, 0.8, 0.7]), np.array([3.0, 1.0,
    ...     2.0])).place.tolist()
    [1, 0]
    """
    known = np.flatnonzero(np.isfinite(score) & np.isfinite(price))
    # By price, then the best first: a point is on the front if it beats all before.
    order = known[np.lexsort((-score[known], price[known]))]
    before = np.maximum.accumulate(np.concatenate([[-np.inf], score[order]]))[:-1]
    place = order[score[order] > before]
    return ParetoFront(place, score[place], price[place])


def hypervolume(
    score: Floats, price: Floats, worst: tuple[float, float] = (0.0, 1.0)
) -> float:
    """Return the area between a front and a reference point.

    Args:
        score: Shape (item,); only what is above the worst score counts.
        price: Shape (item,); only what is below the worst price counts.
        worst: Score and price of the reference point.

    Returns:
        In units of score × price.

    >>> hypervolume(np.array([0.5, 1.0]), np.array([0.25, 0.5]))
    0.625
    """
    found = pareto_front(score, price)
    inside = (found.score > worst[0]) & (found.price < worst[1])
    tops, sides = found.score[inside] - worst[0], worst[1] - found.price[inside]
    steps = np.diff(np.concatenate([[0.0], tops]))
    return float((steps * sides).sum())
