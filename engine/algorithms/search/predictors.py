"""Accuracy predicted from an architecture's features: ridge regressions, bagged.

Source: White et al. (2021), arXiv:1910.11858, whose ensemble is of small networks;
Breiman (1996), Machine Learning 24, on bagging.
Differs: each predictor is a ridge regression in closed form, so that members can be
fitted side by side and a fit has no seed of its own.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

RIDGE = 1.0
Numbers = np.ndarray


class Ensemble(NamedTuple):
    """Predictors fitted side by side.

    Args:
        weights: Shape (…, predictor, feature).
        offset: Shape (…, predictor).
    """

    weights: Numbers
    offset: Numbers


def normal_scores(labels: Numbers, known: Numbers) -> Numbers:
    """Return where each label stands among the known ones, as a normal quantile.

    Accuracies have a long tail of failures, which a squared error would be about.

    Args:
        labels: Shape (…, item).
        known: Whether each counts; the same shape.

    Returns:
        Equal labels get their mean rank; 0 where a label is not known.

    >>> normal_scores(np.array([0.1, 0.9, 0.5]), np.ones(3, bool)).round(2).tolist()
    [-0.97, 0.97, 0.0]
    """
    rank = rankdata(np.where(known, labels, np.inf), axis=-1)
    count = known.sum(-1, keepdims=True)
    share = np.where(known, (rank - 0.5) / np.maximum(count, 1), 0.5)
    return ndtri(share)


def bootstrap_counts(uniform: Numbers, known: Numbers) -> Numbers:
    """Return how often each predictor sees each item: a bootstrap of the known ones.

    Args:
        uniform: Uniform in [0, 1); shape (…, predictor, item).
        known: Shape (…, item).

    Returns:
        Counts of shape (…, predictor, item), Poisson with mean 1: what drawing with
        replacement comes to, item by item, so that later items change no earlier.
    """
    steps = np.cumsum([1.0, 1.0, 0.5, 1 / 6, 1 / 24, 1 / 120]) / np.e
    counts = np.searchsorted(steps, uniform, side="right").astype(float)
    return counts * known[..., None, :]


def fit_ensemble(
    features: Numbers, labels: Numbers, counts: Numbers, ridge: float
) -> Ensemble:
    """Fit each predictor: least squares over its bag, plus λ times |weights|².

    Args:
        features: Shape (…, item, feature).
        labels: Shape (…, item).
        counts: How often each item is seen; shape (…, predictor, item).
        ridge: λ > 0.
    """
    x, y = features.astype(np.float64), labels.astype(np.float64)
    total = np.maximum(counts.sum(-1), 1.0)
    center = counts @ x / total[..., None]
    middle = (counts @ y[..., None])[..., 0] / total
    weighted = x[..., None, :, :].mT * counts[..., None, :]
    gram = weighted @ x[..., None, :, :]
    gram -= total[..., None, None] * center[..., :, None] * center[..., None, :]
    goal = (weighted @ y[..., None, :, None])[..., 0]
    goal -= (total * middle)[..., None] * center
    gram += ridge * np.eye(x.shape[-1])
    weights = np.linalg.solve(gram, goal[..., None])[..., 0]
    return Ensemble(weights, middle - (weights * center).sum(-1))


def predict_ensemble(ensemble: Ensemble, features: Numbers) -> Numbers:
    """Return each predictor's answers; (…, item, feature) → (…, predictor, item)."""
    found = ensemble.weights @ features.astype(np.float64).mT
    return found + ensemble.offset[..., None]


def expected_improvement(mean: Numbers, spread: Numbers, best: Numbers) -> Numbers:
    """Return E[max(0, f − best)] for f ~ N(mean, spread²).

    >>> certain = expected_improvement(np.array(1.0), np.array(1e-9), np.array(0.5))
    >>> round(float(certain), 9)
    0.5
    """
    spread = np.maximum(spread, 1e-12)
    far = (mean - best) / spread
    density = np.exp(-0.5 * far**2) / np.sqrt(2 * np.pi)
    return spread * (far * ndtr(far) + density)


def rank_correlation(one: Numbers, two: Numbers) -> Numbers:
    """Return Spearman's correlation along the last axis, ties at their mean rank.

    >>> float(rank_correlation(np.array([1.0, 2, 3]), np.array([3.0, 5, 9])).round(9))
    1.0
    """
    ranks = [rankdata(a, axis=-1) for a in np.broadcast_arrays(one, two)]
    a, b = (r - r.mean(-1, keepdims=True) for r in ranks)
    size = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    return (a * b).sum(-1) / np.where(size > 0, size, np.nan)
