"""A meta-trained accuracy predictor, and how it chooses the next architectures.

Its regression over the source tasks gives a mean and an uncertainty for every
architecture; the highest upper confidence bounds are trained next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from engine.algorithms.search.knowledge.bayesian_regression import (
    Posterior,
    predictor_features,
    update_posterior,
)
from engine.algorithms.search.predictor_guided import GuidedState
from engine.algorithms.search.predictors import normal_scores
from engine.algorithms.search.proposals import propose_candidates, uniform_codes
from engine.protocol import SearchBatch, Space

LISTED, DOUBTED = 20_000, 30  # most architectures ranked, fewest given an uncertainty
NARROW = 0.2  # least spread of scores, in the sources' units
ReplicateTask = tuple[int, int]


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
