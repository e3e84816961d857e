"""A predictor that other tasks taught: linear in an architecture and its task.

The source tasks leave a normal belief about the coefficients; the target's own
trainings move it, in closed form. Coefficients of the task's features say how options
matter differently from task to task.

Source: Bishop (2006), Pattern Recognition and Machine Learning, section 3.3, for
Bayesian linear regression.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.algorithms.search.encodings import one_hot_encoding, path_encoding
from engine.algorithms.search.knowledge.knowledge_base import (
    ExperienceBatch,
    space_fingerprint,
)
from engine.algorithms.search.predictor_guided import GuidedState
from engine.algorithms.search.predictors import normal_scores
from engine.algorithms.search.proposals import propose_candidates, uniform_codes
from engine.protocol import SearchBatch, Space

NOISE, FAR, LISTED, DOUBTED = 0.25, 2.0, 20_000, 30
NARROW = 0.2  # least spread of scores, in the source's units
Numbers = np.ndarray
# A replicate and a task.
ReplicateTask = tuple[int, int]


class Posterior(NamedTuple):
    """What is believed of the coefficients: mean, shape (feature,), and covariance.

    `taught` says whether any source did.
    """

    mean: Numbers
    cov: Numbers
    is_informed: bool


def predictor_features(space: Space, codes: Numbers, task: Numbers) -> Numbers:
    """Return what the predictor sees: options, paths or pairs, options × task.

    Args:
        space: What the codes are of.
        codes: Shape (item, position).
        task: Features of the task; shape (feature,).

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
    """Return how many features `described` gives."""
    none = np.zeros((1, len(space.radix)), np.int64)
    return predictor_features(space, none, np.zeros(features)).shape[1]


def task_features(tasks: SearchBatch) -> Numbers:
    """Return the features of the evaluator's tasks; none where it names none."""
    found = tasks.evaluator.features
    if found is None:
        return np.zeros((len(tasks.evaluator.tasks), 0))
    return np.asarray(found, np.float64)


def standardize_features(features: Numbers, center: Numbers, scale: Numbers) -> Numbers:
    """Return features as seen from the sources, not further than two of their spreads.

    A feature in which the sources do not differ teaches nothing: it is 0.
    """
    steady = np.where(scale > 0, scale, 1.0)
    return np.clip(np.where(scale > 0, (features - center) / steady, 0.0), -FAR, FAR)


def empty_sums(tasks: SearchBatch, replicates: int) -> dict[str, Numbers]:
    """Return sums over no trainings; every array leads with the replicate."""
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
    tasks: SearchBatch, found: ExperienceBatch, replicate: int, sums: dict[str, Numbers]
) -> None:
    """Add a replicate's source trainings to its sums, in place.

    Each search's accuracies become normal scores, the failed ones the lowest, and
    have a mean of their own.
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
    gram: Numbers, goal: Numbers, trust: float, ridge: float
) -> Posterior:
    """Return the belief that some sums over source trainings leave.

    Args:
        gram: Σ φ φᵀ; shape (feature, feature).
        goal: Σ φ y; shape (feature,).
        trust: How many target trainings one of a source is worth.
        ridge: Precision of each coefficient before any training.
    """
    precision = gram * (trust / NOISE) + ridge * np.eye(len(goal))
    cov = np.linalg.inv(precision)
    return Posterior(
        cov @ (goal * (trust / NOISE)), cov, bool(trust > 0 and gram.any())
    )


def update_posterior(
    belief: Posterior, x: Numbers, y: Numbers
) -> tuple[Numbers, Numbers]:
    """Return mean and covariance once trainings are seen; the offset is free.

    Args:
        belief: Before.
        x: Features; shape (item, feature).
        y: Scores; shape (item,).
    """
    x, y = x - x.mean(0), y - y.mean()
    reach = x @ belief.cov
    inner = reach @ x.T + NOISE * np.eye(len(x))
    gain = np.linalg.solve(inner, reach)
    mean = belief.mean + gain.T @ (y - x @ belief.mean)
    return mean, belief.cov - reach.T @ gain


def make_shortlists(
    tasks: SearchBatch,
    beliefs: Sequence[Posterior],
    places: Sequence[Numbers],
    count: int,
) -> dict[ReplicateTask, Numbers]:
    """Return what the sources alone would choose on each task; (≤ count, position)."""
    size = tasks.space.size
    at = np.unique(np.linspace(0, size - 1, min(size, LISTED)).astype(np.int64))
    codes = tasks.space.codes(at)
    found = {}
    for row, belief in enumerate(beliefs):
        for which in np.unique(tasks.task_index).tolist():
            found[row, which] = codes[:0]
            if belief.is_informed:
                seen = make_featurizer(tasks, places[row][which])(codes)
                order = np.argsort(-(seen @ belief.mean).round(9), kind="stable")
                found[row, which] = codes[order[:count]]
    return found


def make_featurizer(tasks: SearchBatch, place: Numbers) -> Callable[[Numbers], Numbers]:
    """Return what describes architectures of the searched space on a task."""
    whole = tasks.evaluator.space
    return lambda codes: predictor_features(
        whole, tasks.to_evaluator_codes(codes), place
    )


@dataclass(frozen=True)
class TransferPredictor:
    """How the next architectures are chosen.

    Args:
        beliefs: One per replicate.
        places: The features of each of the evaluator's tasks, per replicate.
        lists: What the sources would choose, by replicate and task.
        candidates: How many others are proposed in a round.
        parents: How many of the best so far are changed.
        courage: How many standard deviations are added to what is predicted.
    """

    posteriors: tuple[Posterior, ...]
    task_features: tuple[Numbers, ...]
    shortlists: dict[ReplicateTask, Numbers]
    candidates: int
    parents: int
    courage: float

    def choose_next(
        self, tasks: SearchBatch, state: GuidedState, step: int, size: int
    ) -> Numbers:
        """Choose the next architectures; shape (member, size, position)."""
        each = tasks.members // len(self.posteriors)
        wide = 4 + len(tasks.space.radix)
        drawn = tasks.uniform(f"candidates {step}", self.candidates, wide)
        chosen = []
        for member, which in enumerate(tasks.task_index.tolist()):
            row = member // each
            seen = make_featurizer(tasks, self.task_features[row][which])
            own = state.codes[member, :step], state.value[member, :step]
            listed = self.shortlists[row, which]
            pool = self._candidate_pool(tasks.space, listed, own, drawn[member])
            worth = self._acquisition_values(self.posteriors[row], seen, pool, own)
            chosen.append(_best_untried(tasks.space, pool, worth, own[0], size))
        return np.stack(chosen)

    def _candidate_pool(
        self,
        space: Space,
        listed: Numbers,
        own: tuple[Numbers, Numbers],
        uniform: Numbers,
    ) -> Numbers:
        """Return the list, changes of the best so far, and random architectures."""
        codes, value = own
        if not len(codes):
            return np.concatenate([listed, uniform_codes(space, uniform[:, 4:])])
        told = np.nan_to_num(value, nan=-2.0)
        found = propose_candidates(space, codes, told, self.parents, uniform)
        return np.concatenate([listed, found])

    def _acquisition_values(
        self,
        belief: Posterior,
        seen: Callable[[Numbers], Numbers],
        pool: Numbers,
        own: tuple[Numbers, Numbers],
    ) -> Numbers:
        known = np.isfinite(own[1])
        mean, cov, x = belief.mean, belief.cov, seen(pool)
        if known.any():
            tried = seen(own[0][known])
            scores = normal_scores(own[1][known], np.ones(int(known.sum()), bool))
            # Own scores are put on the scale that the sources give these architectures.
            spread = np.clip((tried @ belief.mean).std(), NARROW, 1.0)
            scale = spread if belief.is_informed else 1.0
            mean, cov = update_posterior(belief, tried, scores * scale)
            x = x - tried.mean(0)
        worth = x @ mean
        top = np.argsort(-worth, kind="stable")[: max(DOUBTED, len(x) // 8)]
        doubt = np.einsum("if,fg,ig->i", x[top], cov, x[top], optimize=True)
        worth[top] += self.courage * np.sqrt(np.maximum(doubt, 0.0))
        return worth.round(9)


def _best_untried(
    space: Space, pool: Numbers, worth: Numbers, tried: Numbers, size: int
) -> Numbers:
    """Return the best that were not tried, none twice while others are left."""
    index = space.index(pool)
    worth = worth - 1e6 * np.isin(index, space.index(tried))
    order = np.argsort(-worth, kind="stable")
    first = np.sort(np.unique(index[order], return_index=True)[1])
    picked = order[np.concatenate([first, np.arange(len(order))])[:size]]
    return pool[picked]
