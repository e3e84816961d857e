"""What a perfect memory of examples says: the posterior of a Gaussian process.

For random smooth functions it is the best answer there is, with the right doubt.
"""

from typing import NamedTuple

import numpy as np

from app.figures.figure_types import Floats

TRUE_SCALE = 1.0  # length scale of the function that is drawn
JITTER = 1e-6  # keeps the matrix of close points invertible


class Belief(NamedTuple):
    """Mean and spread of the answers, shape (point,)."""

    mean: Floats
    spread: Floats


def covariance(a: Floats, b: Floats, scale: float) -> Floats:
    """Return exp(−(a − b)² / 2ℓ²) of all pairs, shape (a, b)."""
    values: Floats = np.exp(-0.5 * ((a[:, None] - b[None, :]) / scale) ** 2)
    return values


def draw_function(x: Floats, seed: int) -> Floats:
    """Return a random smooth function at x, shape (point,)."""
    random = np.random.default_rng(seed)
    root = np.linalg.cholesky(covariance(x, x, TRUE_SCALE) + JITTER * np.eye(len(x)))
    values: Floats = root @ random.normal(size=len(x))
    return values


def believe(x: Floats, given: Floats, scale: float) -> Belief:
    """Return what to believe after some examples.

    Args:
        x: Where.
        given: Inputs and targets of the examples, shape (2, example).
        scale: Length scale that the functions are believed to have.
    """
    across = covariance(x, given[0], scale)
    known = covariance(given[0], given[0], scale) + JITTER * np.eye(given.shape[1])
    gain = np.linalg.solve(known, across.T).T
    variance = 1.0 - (gain * across).sum(1)
    # Rounding may leave tiny negative variances at the examples.
    return Belief(gain @ given[1], np.sqrt(np.maximum(variance, 0.0)))
