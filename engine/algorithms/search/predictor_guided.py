"""Predictor-guided search: propose candidates, predict them, train the most promising.

Source: White et al. (2021), arXiv:1910.11858: candidates are mutations of the best so
far, an ensemble predicts their accuracy, an acquisition function chooses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from engine.algorithms.search.predictors import (
    RIDGE,
    bootstrap_counts,
    expected_improvement,
    fit_ensemble,
    normal_scores,
    predict_ensemble,
)
from engine.algorithms.search.proposals import propose_candidates
from engine.protocol import Evaluation, SearchBatch, Space

# Architectures of shape (item, position) → features of shape (item, feature).
Encode = Callable[[Float[np.ndarray, "item feature"]], Int[np.ndarray, "item position"]]


class GuidedState(NamedTuple):
    """Architectures trained and to be trained next; arrays lead with the member.

    Args:
        codes: Shape (member, evaluation, position).
        value: NaN where nothing was trained; shape (member, evaluation).
        queue: Architectures of this round; shape (member, slot, position).
    """

    codes: Int[np.ndarray, "member evaluation position"]
    value: Float[np.ndarray, "member evaluation"]
    queue: Int[np.ndarray, "member slot position"]


def start_guided(
    tasks: SearchBatch, first: Int[np.ndarray, "member slot position"]
) -> GuidedState:
    """Return the state before the first evaluation.

    Args:
        tasks: One search per member.
        first: Architectures of the first round; shape (member, slot, position).
    """
    shape = (tasks.members, tasks.horizon)
    codes = np.zeros((*shape, first.shape[2]), np.int64)
    return GuidedState(codes, np.full(shape, np.nan), first)


def record_evaluation(state: GuidedState, evaluation: Evaluation) -> GuidedState:
    """Return the state with an evaluation recorded."""
    codes, value = state.codes.copy(), state.value.copy()
    codes[:, evaluation.step] = evaluation.codes
    value[:, evaluation.step] = np.where(evaluation.live, evaluation.value, np.nan)
    return GuidedState(codes, value, state.queue)


@dataclass(frozen=True)
class PredictorGuide:
    """Chooses the next architectures by an ensemble of predictors.

    Args:
        encode: Turns architectures into features.
        predictors: Size of the ensemble.
        candidates: Candidates per round.
        parents: Number of best architectures to mutate; half of the candidates are
            such mutations, the others are drawn at random.
        acquisition: thompson, ucb or ei.
    """

    encode: Encode
    predictors: int
    candidates: int
    parents: int
    acquisition: str

    def choose_next(
        self, tasks: SearchBatch, state: GuidedState, step: int, size: int
    ) -> Int[np.ndarray, "member slot position"]:
        """Choose the architectures of a round, member by member.

        Args:
            tasks: One search per member.
            state: Everything trained before `step`.
            step: Index of the next evaluation; it names the round's random draws.
            size: Number of architectures to choose.

        Returns:
            Codes of shape (member, size, position).
        """
        wide = 4 + len(tasks.space.radix)
        drawn = tasks.uniform(f"candidates {step}", self.candidates, wide + size)
        bagged = tasks.uniform(f"bags {step}", self.predictors, step)
        return np.stack(
            [
                self._choose_for_member(
                    tasks.space, codes[:step], value[:step], uniform, bag
                )
                for codes, value, uniform, bag in zip(
                    state.codes, state.value, drawn, bagged, strict=True
                )
            ]
        )

    def _choose_for_member(
        self,
        space: Space,
        codes: Int[np.ndarray, "evaluation position"],
        value: Float[np.ndarray, " evaluation"],
        uniform: Float[np.ndarray, "candidate draw"],
        bag: Float[np.ndarray, "predictor evaluation"],
    ) -> Int[np.ndarray, "slot position"]:
        """Choose as many as `uniform` has columns beyond those of the candidates."""
        known, wide = np.isfinite(value), 4 + len(space.radix)
        if not known.any():
            return np.zeros((uniform.shape[1] - wide, codes.shape[1]), np.int64)
        tried = codes[known], value[known]
        proposed = propose_candidates(space, *tried, self.parents, uniform[:, :wide])
        scores = normal_scores(value, known)
        counts = bootstrap_counts(bag, known)
        ensemble = fit_ensemble(self.encode(codes), scores, counts, RIDGE)
        answers = predict_ensemble(ensemble, self.encode(proposed))
        worth = self._acquisition_values(
            answers, scores[known].max(), uniform[:, wide:]
        )
        # Trained architectures come last: only a tiny space has no others left.
        seen = np.isin(space.index(proposed), space.index(codes[known]))
        return proposed[
            _pick_distinct(worth - 1e6 * seen[:, None], space.index(proposed))
        ]

    def _acquisition_values(
        self,
        answers: Float[np.ndarray, "predictor candidate"],
        best: float,
        uniform: Float[np.ndarray, "candidate slot"],
    ) -> Float[np.ndarray, "candidate slot"]:
        """Return the acquisition value of each candidate; (candidate, slot)."""
        from scipy.special import ndtri  # here, as it takes long to import

        mean, spread = answers.mean(0)[:, None], answers.std(0)[:, None]
        if self.acquisition == "thompson":
            return mean + spread * ndtri(uniform.clip(1e-12, 1 - 1e-12))
        if self.acquisition == "ucb":
            return np.repeat(mean + spread, uniform.shape[1], 1)
        found = expected_improvement(mean, spread, np.array(best))
        return np.repeat(found, uniform.shape[1], 1)


def _pick_distinct(
    worth: Float[np.ndarray, "candidate slot"], number: Int[np.ndarray, " candidate"]
) -> Int[np.ndarray, " slot"]:
    """Return the best candidate of each slot, none twice while others are left."""
    picked = []
    for place in range(worth.shape[1]):
        best = int(worth[:, place].argmax())
        picked.append(best)
        worth[number == number[best]] -= 1e6
    return np.array(picked)
