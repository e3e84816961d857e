"""Projection of points on their first two principal components, and its trust."""

from typing import NamedTuple

import numpy as np

from app.figures.figure_types import Floats, Indices
from app.figures.theme import PALETTE

NEIGHBORS = 5
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "hexagon")


class Plane(NamedTuple):
    """The plane of the first two principal components.

    `share` is how much of their variance lies in the plane, 0 to 1.
    """

    middle: Floats
    axes: Floats
    share: float

    def project(self, points: Floats) -> Floats:
        """Project points on the plane; (point, feature) → (point, 2)."""
        return np.asarray(
            # A NaN feature would make both coordinates NaN: it counts as 0.
            (np.nan_to_num(points) - self.middle) @ self.axes,
            dtype=np.float32,
        )


def fit_plane(points: Floats) -> Plane:
    """Fit the plane of the first two principal components.

    Args:
        points: Finite features, shape (point, feature).

    >>> fit_plane(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])).share
    1.0
    """
    held = np.asarray(points, dtype=np.float64)
    middle = held.mean(axis=0)
    _, sizes, axes = np.linalg.svd(held - middle, full_matrices=False)
    two = np.zeros((2, held.shape[1]))
    two[: min(2, len(axes))] = axes[:2]
    # The sign of an axis is arbitrary: make its largest entry positive.
    signs = np.sign(np.take_along_axis(two, np.abs(two).argmax(1)[:, None], 1))
    total = float((sizes**2).sum())
    share = float((sizes[:2] ** 2).sum()) / total if total > 0 else 1.0
    return Plane(middle, (two * np.where(signs == 0, 1.0, signs)).T, share)


def trustworthiness(points: Floats, flat: Floats, near: int = NEIGHBORS) -> float:
    """Return the trustworthiness of a projection, 0 to 1.

    Venna and Kaski (2001): a false neighbor among the `near` nearest is penalized
    by how far its true rank lies beyond `near`.

    Args:
        points: Shape (point, feature).
        flat: The same in the plane; shape (point, 2).
        near: How many neighbors; fewer than half of the points.
    """
    count = len(points)
    near = min(near, (count - 1) // 2)
    if near < 1:
        return 1.0
    rank = _neighbor_ranks(points)
    close = np.argsort(_distances(flat), axis=1, kind="stable")[:, :near]
    beyond = np.maximum(0, np.take_along_axis(rank, close, 1) - near).sum()
    return float(1 - beyond * 2 / (count * near * (2 * count - 3 * near - 1)))


def _neighbor_ranks(points: Floats) -> Indices:
    """Return each point's rank among another's neighbors; the nearest has rank 1."""
    order = np.argsort(_distances(points), axis=1, kind="stable")
    ranks = np.empty_like(order)
    places = np.arange(1, len(points) + 1)
    np.put_along_axis(ranks, order, np.broadcast_to(places, order.shape), 1)
    return ranks


def _distances(points: Floats) -> Floats:
    held = np.asarray(points, dtype=np.float64)
    squares = ((held[:, None] - held[None]) ** 2).sum(2)
    np.fill_diagonal(squares, np.inf)
    return np.asarray(squares)


def class_colors(classes: Indices) -> list[str]:
    """Return a color for each point's class; colors repeat after ten."""
    return [PALETTE[int(k) % len(PALETTE)] for k in classes]


def class_symbols(classes: Indices, *, hollow: bool = False) -> list[str]:
    """Return a symbol for each point's class; with color, thirty are distinct."""
    end = "-open" if hollow else ""
    return [SYMBOLS[int(k) % len(SYMBOLS)] + end for k in classes]
