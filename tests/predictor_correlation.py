"""How well the ridge ensemble ranks architectures that it has never seen."""

import numpy as np
from jaxtyping import Float

from engine.algorithms.search.predictors import (
    RIDGE,
    bootstrap_counts,
    fit_ensemble,
    normal_scores,
    predict_ensemble,
    rank_correlation,
)


def predictor_correlation(
    features: Float[np.ndarray, "*batch item feature"],
    labels: Float[np.ndarray, "*batch item"],
    unseen: Float[np.ndarray, "*batch other feature"],
    truth: Float[np.ndarray, "*batch other"],
    uniform: Float[np.ndarray, "*batch predictor item"],
) -> Float[np.ndarray, " *batch"]:
    """Fit on labels; return Spearman's correlation on architectures never seen.

    Args:
        features: Shape (…, item, feature).
        labels: Shape (…, item); NaN where a training failed.
        unseen: Features of the others; shape (…, other, feature).
        truth: Their accuracies; shape (…, other).
        uniform: Uniform in [0, 1); shape (…, predictor, item).
    """
    known = np.isfinite(labels)
    scores = normal_scores(labels, known)
    ensemble = fit_ensemble(features, scores, bootstrap_counts(uniform, known), RIDGE)
    return rank_correlation(predict_ensemble(ensemble, unseen).mean(-2), truth)
