"""Searches that a predictor guides: what is proposed, and which of it is trained.

Source: White et al. (2021), arXiv:1910.11858: candidates are changes of the best so
far, an ensemble predicts them, an acquisition function chooses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

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

Numbers = np.ndarray
# Architectures of shape (item, position) → features of shape (item, feature).
Encode = Callable[[Numbers], Numbers]


class GuidedState(NamedTuple):
    """What was trained, and what is to be trained next; arrays lead with the member.

    Args:
        codes: Shape (member, evaluation, position).
        value: NaN where nothing was trained.
        queue: The architectures of this round; shape (member, place, position).
    """

    codes: Numbers
    value: Numbers
    queue: Numbers


def start_guided(tasks: SearchBatch, first: Numbers) -> GuidedState:
    """Return searches that begin with given architectures."""
    shape = (tasks.members, tasks.horizon)
    codes = np.zeros((*shape, first.shape[2]), np.int64)
    return GuidedState(codes, np.full(shape, np.nan), first)


def record_evaluation(state: GuidedState, evaluation: Evaluation) -> GuidedState:
    """Write down what was trained."""
    codes, value = state.codes.copy(), state.value.copy()
    codes[:, evaluation.step] = evaluation.codes
    value[:, evaluation.step] = np.where(evaluation.live, evaluation.value, np.nan)
    return GuidedState(codes, value, state.queue)


@dataclass(frozen=True)
class PredictorGuide:
    """How the next architectures are chosen.

    Args:
        encode: What a predictor sees of an architecture.
        predictors: How many there are.
        candidates: How many are proposed in a round.
        parents: How many of the best so far are changed; half of the candidates are
            such changes, the others are drawn at random.
        acquisition: thompson, ucb or ei.
    """

    encode: Encode
    predictors: int
    candidates: int
    parents: int
    acquisition: str

    def choose_next(
        self, tasks: SearchBatch, state: GuidedState, step: int, size: int
    ) -> Numbers:
        """Choose the architectures of a round, member by member.

        Args:
            tasks: The searches.
            state: What was trained, up to `step`.
            step: The evaluation that comes next; it names the round's draws.
            size: How many are chosen.
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
        codes: Numbers,
        value: Numbers,
        uniform: Numbers,
        bag: Numbers,
    ) -> Numbers:
        """Choose as many as there are uniform numbers beyond those of the proposals."""
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
        # What was trained already comes last: only a tiny space gets there.
        seen = np.isin(space.index(proposed), space.index(codes[known]))
        return proposed[
            _pick_distinct(worth - 1e6 * seen[:, None], space.index(proposed))
        ]

    def _acquisition_values(
        self, answers: Numbers, best: float, uniform: Numbers
    ) -> Numbers:
        """Return what each candidate is worth at each place; (candidate, place)."""
        mean, spread = answers.mean(0)[:, None], answers.std(0)[:, None]
        if self.acquisition == "thompson":
            return mean + spread * ndtri(uniform.clip(1e-12, 1 - 1e-12))
        if self.acquisition == "ucb":
            return np.repeat(mean + spread, uniform.shape[1], 1)
        found = expected_improvement(mean, spread, np.array(best))
        return np.repeat(found, uniform.shape[1], 1)


def _pick_distinct(worth: Numbers, number: Numbers) -> Numbers:
    """Return the best candidate of each place, none twice while others are left."""
    picked = []
    for place in range(worth.shape[1]):
        best = int(worth[:, place].argmax())
        picked.append(best)
        worth[number == number[best]] -= 1e6
    return np.array(picked)
