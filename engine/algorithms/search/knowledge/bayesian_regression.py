"""Bayesian linear regression of accuracies over source tasks, in closed form.

The source tasks give a normal prior over the coefficients, which the target's own
trainings update. Products of options and task features express how the effect of an
option differs between tasks.

Source: Bishop (2006), Pattern Recognition and Machine Learning, section 3.3.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num

from engine.algorithms.search.encodings import one_hot_encoding, path_encoding
from engine.algorithms.search.knowledge.knowledge_base import (
    ExperienceBatch,
    space_fingerprint,
)
from engine.algorithms.search.predictors import normal_scores
from engine.protocol import SearchBatch, Space

NOISE = 0.25  # variance of a score around its prediction
FAR = 2.0  # a task further away than this is treated as this far


class Posterior(NamedTuple):
    """Normal distribution of the coefficients.

    Args:
        mean: Shape (feature,).
        cov: Shape (feature, feature).
        is_informed: Whether any source training contributed.
    """

    mean: Float[np.ndarray, " feature"]
    cov: Float[np.ndarray, "feature feature"]
    is_informed: bool


def predictor_features(
    space: Space,
    codes: Int[np.ndarray, "item position"],
    task: Float[np.ndarray, " task_feature"],
) -> Float[np.ndarray, "item feature"]:
    """Return the predictor's features: options, paths or pairs, options × task.

    Args:
        space: The space of the codes.
        codes: Shape (item, position).
        task: Features of the task; shape (task feature,).

    Returns:
        float64, shape (item, feature).
    """
    hot = one_hot_encoding(space, codes)
    parts = (
        [hot, path_encoding(space, codes)]
        if space.edges
        else [path_encoding(space, codes)]
    )
    crossed = (hot[:, :, None] * task).reshape(len(codes), -1)
    return np.concatenate([*parts, crossed], 1).astype(np.float64)


def feature_width(space: Space, features: int) -> int:
    """Return the number of features that `predictor_features` gives."""
    none = np.zeros((1, len(space.radix)), np.int64)
    return predictor_features(space, none, np.zeros(features)).shape[1]


def task_features(tasks: SearchBatch) -> Float[np.ndarray, "task task_feature"]:
    """Return the features of the evaluator's tasks; (task, task feature), maybe 0."""
    found = tasks.evaluator.features
    if found is None:
        return np.zeros((len(tasks.evaluator.tasks), 0))
    return np.asarray(found, np.float64)


def standardize_features(
    features: Float[np.ndarray, "task task_feature"],
    center: Float[np.ndarray, " task_feature"],
    scale: Float[np.ndarray, " task_feature"],
) -> Float[np.ndarray, "task task_feature"]:
    """Standardize task features by the source tasks, clipped at ±2.

    A feature that is constant over the sources becomes 0: nothing was learned of it.

    Args:
        features: Shape (task, task feature).
        center: Mean over the sources; shape (task feature,).
        scale: Standard deviation over the sources; shape (task feature,).
    """
    steady = np.where(scale > 0, scale, 1.0)
    return np.clip(np.where(scale > 0, (features - center) / steady, 0.0), -FAR, FAR)


def empty_sums(
    tasks: SearchBatch, replicates: int
) -> dict[str, Num[np.ndarray, "replicate ..."]]:
    """Return the regression's sums over no trainings; arrays lead with the replicate.

    Args:
        tasks: The searches; their evaluator defines the features.
        replicates: Number of replicates.
    """
    space, count = tasks.evaluator.space, task_features(tasks).shape[1]
    wide = feature_width(space, count)
    return {
        "gram": np.zeros((replicates, wide, wide)),
        "goal": np.zeros((replicates, wide)),
        "center": np.zeros((replicates, count)),
        "scale": np.zeros((replicates, count)),
        "space": np.tile(space_fingerprint(space), (replicates, 1)),
    }


def add_trainings(
    tasks: SearchBatch,
    found: ExperienceBatch,
    replicate: int,
    sums: dict[str, Num[np.ndarray, "replicate ..."]],
) -> None:
    """Add a replicate's source trainings to its sums, in place.

    The accuracies of each search become normal scores, failed trainings the lowest;
    features and scores are centered within each search.

    Args:
        tasks: The source searches.
        found: Their trainings.
        replicate: Index of the replicate.
        sums: As `empty_sums` returns them.
    """
    features = task_features(tasks)
    known = features[list(tasks.sources)]
    center, scale = known.mean(0), known.std(0)
    sums["center"][replicate], sums["scale"][replicate] = center, scale
    places = standardize_features(features, center, scale)
    for search in np.unique(found.search[replicate]):
        mine = (found.search[replicate] == search) & found.valid[replicate]
        if not mine.any():
            continue
        which = int(found.task[replicate][mine][0])
        value = np.nan_to_num(found.accuracy[replicate][mine], nan=-1.0)
        y = normal_scores(value, np.ones(len(value), bool))
        codes = found.codes[replicate][mine]
        x = predictor_features(tasks.evaluator.space, codes, places[which])
        x = x - x.mean(0)
        sums["gram"][replicate] += x.T @ x
        sums["goal"][replicate] += x.T @ (y - y.mean())


def fit_posterior(
    gram: Float[np.ndarray, "feature feature"],
    goal: Float[np.ndarray, " feature"],
    trust: float,
    ridge: float,
) -> Posterior:
    """Return the posterior of the coefficients given the source trainings.

    Args:
        gram: Σ φ φᵀ; shape (feature, feature).
        goal: Σ φ y; shape (feature,).
        trust: Number of target trainings that one source training is worth.
        ridge: Prior precision of each coefficient.
    """
    precision = gram * (trust / NOISE) + ridge * np.eye(len(goal))
    cov = np.linalg.inv(precision)
    return Posterior(
        cov @ (goal * (trust / NOISE)), cov, bool(trust > 0 and gram.any())
    )


def update_posterior(
    belief: Posterior,
    x: Float[np.ndarray, "item feature"],
    y: Float[np.ndarray, " item"],
) -> tuple[Float[np.ndarray, " feature"], Float[np.ndarray, "feature feature"]]:
    """Return mean and covariance given target trainings; the offset is free.

    Args:
        belief: The distribution before them.
        x: Features; shape (item, feature).
        y: Scores; shape (item,).

    Returns:
        Mean, shape (feature,), and covariance, shape (feature, feature).
    """
    x, y = x - x.mean(0), y - y.mean()
    # Solved in item space (Woodbury): a search has fewer trainings than features.
    reach = x @ belief.cov
    inner = reach @ x.T + NOISE * np.eye(len(x))
    gain = np.linalg.solve(inner, reach)
    mean = belief.mean + gain.T @ (y - x @ belief.mean)
    return mean, belief.cov - reach.T @ gain
