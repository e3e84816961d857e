"""Predict accuracy from architecture features: a bagged ensemble of ridge regressions.

Source: White et al. (2021), arXiv:1910.11858, whose ensemble consists of small nets;
Breiman (1996), Machine Learning 24, on bagging.
Differs: each predictor is a ridge regression in closed form, so that members are
fitted in one batch and a fit needs no seed.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Num

RIDGE = 1.0


class Ensemble(NamedTuple):
    """Linear predictors, fitted in one batch.

    Args:
        weights: Shape (…, predictor, feature).
        offset: Shape (…, predictor).
    """

    weights: Float[np.ndarray, "*batch predictor feature"]
    offset: Float[np.ndarray, "*batch predictor"]


def normal_scores(
    labels: Float[np.ndarray, "*batch item"], known: Bool[np.ndarray, "*batch item"]
) -> Float[np.ndarray, "*batch item"]:
    """Return the normal quantile of each label's rank among the known ones.

    Accuracies have a long lower tail that would dominate a squared error.

    Args:
        labels: Shape (…, item).
        known: Whether each label counts; same shape.

    Returns:
        Same shape; tied labels get their mean rank, unknown ones 0.

    >>> normal_scores(np.array([0.1, 0.9, 0.5]), np.ones(3, bool)).round(2).tolist()
    [-0.97, 0.97, 0.0]
    """
    from scipy.special import ndtri  # here, as scipy takes long to import
    from scipy.stats import rankdata

    rank = rankdata(np.where(known, labels, np.inf), axis=-1)
    count = known.sum(-1, keepdims=True)
    share = np.where(known, (rank - 0.5) / np.maximum(count, 1), 0.5)
    return ndtri(share)


def bootstrap_counts(
    uniform: Float[np.ndarray, "*batch predictor item"],
    known: Bool[np.ndarray, "*batch item"],
) -> Float[np.ndarray, "*batch predictor item"]:
    """Return how often each predictor's bootstrap sample contains each known item.

    Args:
        uniform: Uniform in [0, 1); shape (…, predictor, item).
        known: Shape (…, item).

    Returns:
        Counts of shape (…, predictor, item), Poisson with mean 1: the limit of drawing
        with replacement, but item by item, so that later items change no earlier one.
    """
    # Cumulative Poisson(1) probabilities, 1/k! / e; counts above 6 are cut off.
    steps = np.cumsum([1.0, 1.0, 0.5, 1 / 6, 1 / 24, 1 / 120]) / np.e
    counts = np.searchsorted(steps, uniform, side="right").astype(float)
    return counts * known[..., None, :]


def fit_ensemble(
    features: Float[np.ndarray, "*batch item feature"],
    labels: Float[np.ndarray, "*batch item"],
    counts: Float[np.ndarray, "*batch predictor item"],
    ridge: float,
) -> Ensemble:
    """Fit each predictor: least squares over its bootstrap sample plus λ|weights|².

    Args:
        features: Shape (…, item, feature).
        labels: Shape (…, item).
        counts: Weight of each item; shape (…, predictor, item).
        ridge: λ > 0; the offset is not penalized.

    Returns:
        The ensemble, fitted on centered features and labels.
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


def predict_ensemble(
    ensemble: Ensemble, features: Float[np.ndarray, "*batch item feature"]
) -> Float[np.ndarray, "*batch predictor item"]:
    """Return all predictions; (…, item, feature) → (…, predictor, item)."""
    found = ensemble.weights @ features.astype(np.float64).mT
    return found + ensemble.offset[..., None]


def expected_improvement(
    mean: Float[np.ndarray, " *#shape"],
    spread: Float[np.ndarray, " *#shape"],
    best: Float[np.ndarray, " *#shape"],
) -> Float[np.ndarray, " *#shape"]:
    """Return E[max(0, f − best)] for f ~ N(mean, spread²); all of one shape.

    Args:
        mean: Predicted mean.
        spread: Predicted standard deviation.
        best: Best value so far, in the same unit.

    >>> certain = expected_improvement(np.array(1.0), np.array(1e-9), np.array(0.5))
    >>> round(float(certain), 9)
    0.5
    """
    from scipy.special import ndtr

    spread = np.maximum(spread, 1e-12)  # predictors that all agree have spread 0
    far = (mean - best) / spread
    density = np.exp(-0.5 * far**2) / np.sqrt(2 * np.pi)
    return np.asarray(spread * (far * ndtr(far) + density))


def rank_correlation(
    one: Num[np.ndarray, "*#batch item"], two: Num[np.ndarray, "*#batch item"]
) -> Float[np.ndarray, " *#batch"]:
    """Return Spearman's correlation along the last axis; ties get their mean rank.

    Args:
        one: Shape (…, item).
        two: Broadcastable to the same shape.

    Returns:
        Shape (…,), from −1 to 1; NaN where one of the two is constant.

    >>> float(rank_correlation(np.array([1.0, 2, 3]), np.array([3.0, 5, 9])).round(9))
    1.0
    """
    from scipy.stats import rankdata

    ranks = [rankdata(a, axis=-1) for a in np.broadcast_arrays(one, two)]
    a, b = (r - r.mean(-1, keepdims=True) for r in ranks)
    size = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    return np.asarray((a * b).sum(-1) / np.where(size > 0, size, np.nan))
