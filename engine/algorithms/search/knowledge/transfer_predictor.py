"""A meta-trained accuracy predictor: Bayesian linear regression over source tasks.

The source tasks give a normal prior over the coefficients, which the target's own
trainings update in closed form. Products of options and task features express how the
effect of an option differs between tasks.

Source: Bishop (2006), Pattern Recognition and Machine Learning, section 3.3, for
Bayesian linear regression.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num

from engine.algorithms.search.encodings import one_hot_encoding, path_encoding
from engine.algorithms.search.knowledge.knowledge_base import (
    ExperienceBatch,
    space_fingerprint,
)
from engine.algorithms.search.predictor_guided import GuidedState
from engine.algorithms.search.predictors import normal_scores
from engine.algorithms.search.proposals import propose_candidates, uniform_codes
from engine.protocol import SearchBatch, Space

NOISE = 0.25  # variance of a score around its prediction
FAR = 2.0  # a task further away than this is treated as this far
LISTED, DOUBTED = 20_000, 30  # most architectures ranked, fewest given an uncertainty
NARROW = 0.2  # least spread of scores, in the sources' units
ReplicateTask = tuple[int, int]


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


def make_shortlists(
    tasks: SearchBatch,
    beliefs: Sequence[Posterior],
    places: Sequence[Float[np.ndarray, "task task_feature"]],
    count: int,
) -> dict[ReplicateTask, Int[np.ndarray, "architecture position"]]:
    """Return the architectures that the sources alone predict to be best.

    Args:
        tasks: One search per member.
        beliefs: One per replicate.
        places: Standardized features of the evaluator's tasks, per replicate.
        count: Most architectures per list.

    Returns:
        Codes of shape (≤ count, position), by replicate and task.
    """
    size = tasks.space.size
    at = np.unique(np.linspace(0, size - 1, min(size, LISTED)).astype(np.int64))
    codes = tasks.space.codes(at)
    found = {}
    for row, belief in enumerate(beliefs):
        for which in np.unique(tasks.task_index).tolist():
            found[row, which] = codes[:0]
            if belief.is_informed:
                seen = make_featurizer(tasks, places[row][which])(codes)
                # Rounded: equal predictions must tie on every machine.
                order = np.argsort(-(seen @ belief.mean).round(9), kind="stable")
                found[row, which] = codes[order[:count]]
    return found


def make_featurizer(
    tasks: SearchBatch, place: Float[np.ndarray, " task_feature"]
) -> Callable[[Int[np.ndarray, "item position"]], Float[np.ndarray, "item feature"]]:
    """Return the function from codes of the searched space to features on a task."""
    whole = tasks.evaluator.space
    return lambda codes: predictor_features(
        whole, tasks.to_evaluator_codes(codes), place
    )


@dataclass(frozen=True)
class TransferPredictor:
    """Chooses the next architectures by an upper confidence bound.

    Args:
        posteriors: One per replicate.
        task_features: Standardized features of the evaluator's tasks, per replicate.
        shortlists: Best architectures by the sources, by replicate and task.
        candidates: Other candidates per round.
        parents: Number of best architectures so far that may be mutated.
        courage: Standard deviations added to the predicted mean.
    """

    posteriors: tuple[Posterior, ...]
    task_features: tuple[Float[np.ndarray, "task task_feature"], ...]
    shortlists: dict[ReplicateTask, Int[np.ndarray, "architecture position"]]
    candidates: int
    parents: int
    courage: float

    def choose_next(
        self, tasks: SearchBatch, state: GuidedState, step: int, size: int
    ) -> Int[np.ndarray, "member slot position"]:
        """Choose the next architectures; shape (member, size, position).

        Args:
            tasks: One search per member.
            state: Everything trained before `step`.
            step: Index of the next evaluation; it names the round's random draws.
            size: Number of architectures to choose.
        """
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
        listed: Int[np.ndarray, "architecture position"],
        own: tuple[
            Int[np.ndarray, "evaluation position"], Float[np.ndarray, " evaluation"]
        ],
        uniform: Float[np.ndarray, "candidate draw"],
    ) -> Int[np.ndarray, "pool position"]:
        """Return the shortlist, mutations of the best so far, and random ones."""
        codes, value = own
        if not len(codes):
            return np.concatenate([listed, uniform_codes(space, uniform[:, 4:])])
        ranked = np.nan_to_num(value, nan=-2.0)  # below the value of a failed training
        found = propose_candidates(space, codes, ranked, self.parents, uniform)
        return np.concatenate([listed, found])

    def _acquisition_values(
        self,
        belief: Posterior,
        seen: Callable[
            [Int[np.ndarray, "item position"]], Float[np.ndarray, "item feature"]
        ],
        pool: Int[np.ndarray, "pool position"],
        own: tuple[
            Int[np.ndarray, "evaluation position"], Float[np.ndarray, " evaluation"]
        ],
    ) -> Float[np.ndarray, " pool"]:
        known = np.isfinite(own[1])
        mean, cov, x = belief.mean, belief.cov, seen(pool)
        if known.any():
            tried = seen(own[0][known])
            scores = normal_scores(own[1][known], np.ones(int(known.sum()), bool))
            # Own scores are scaled to the spread that the sources predict for them.
            spread = np.clip((tried @ belief.mean).std(), NARROW, 1.0)
            scale = spread if belief.is_informed else 1.0
            mean, cov = update_posterior(belief, tried, scores * scale)
            x = x - tried.mean(0)
        worth = x @ mean
        # Variances are costly; only the most promising get one.
        top = np.argsort(-worth, kind="stable")[: max(DOUBTED, len(x) // 8)]
        doubt = np.einsum("if,fg,ig->i", x[top], cov, x[top], optimize=True)
        worth[top] += self.courage * np.sqrt(np.maximum(doubt, 0.0))
        return worth.round(9)


def _best_untried(
    space: Space,
    pool: Int[np.ndarray, "pool position"],
    worth: Float[np.ndarray, " pool"],
    tried: Int[np.ndarray, "evaluation position"],
    size: int,
) -> Int[np.ndarray, "slot position"]:
    """Return the best untried architectures, none twice while others are left."""
    index = space.index(pool)
    worth = worth - 1e6 * np.isin(index, space.index(tried))
    order = np.argsort(-worth, kind="stable")
    first = np.sort(np.unique(index[order], return_index=True)[1])
    picked = order[np.concatenate([first, np.arange(len(order))])[:size]]
    return pool[picked]
