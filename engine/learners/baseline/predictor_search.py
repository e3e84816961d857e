"""Predictor search: an ensemble predicts accuracy, and its spread guides exploration.

Source: White et al. (2021), arXiv:1910.11858 (BANANAS).
Differs: the predictors are ridge regressions on bootstrap samples, with accuracies
transformed to normal scores; half of the candidates are random.
Helps: shows what a model of the space is worth without knowledge of other tasks.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np

from engine.algorithms.search.encodings import ENCODINGS
from engine.algorithms.search.predictor_guided import (
    GuidedState,
    PredictorGuide,
    record_evaluation,
    start_guided,
)
from engine.algorithms.search.proposals import random_order
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.algorithms.search.untrained_strategy import FixedStrategy
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import (
    Evaluation,
    Meta,
    Proposal,
    SearchBatch,
    TaskBatch,
    TraceSegment,
)


@register("learner")
class PredictorSearch(FixedStrategy):
    """a_t = argmax over candidates of an acquisition of f₁(a), …, f_M(a)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    startup: int = knob(
        10,
        label="Initial random",
        unit="architectures",
        low=2,
        high=500,
        help="Random architectures before the first fit; the same as random search's.",
    )
    every: int = knob(
        10,
        label="Trained per fit",
        unit="architectures",
        low=1,
        high=100,
        help="Architectures that each fit of the predictors chooses.",
    )
    acquisition: Literal["thompson", "ucb", "ei"] = knob(
        "thompson",
        label="Acquisition",
        help="Independent Thompson sampling, an upper confidence bound (one standard "
        "deviation), or expected improvement.",
    )
    encoding: Literal["path", "adjacency", "one-hot"] = knob(
        "path",
        label="Encoding",
        help="How architectures are encoded for the predictors.",
    )
    predictors: int = knob(
        5,
        label="Predictors M",
        low=2,
        high=50,
        advanced=True,
        work="passes",
        help="Size of the ensemble; each is fitted to its own bootstrap sample.",
    )
    candidates: int = knob(
        200,
        label="Candidates",
        unit="architectures",
        low=2,
        high=5_000,
        advanced=True,
        work="size",
        help="Proposed per fit: half are mutations of the best, half random.",
    )
    parents: int = knob(
        10,
        label="Parents",
        unit="architectures",
        low=1,
        high=500,
        advanced=True,
        help="How many of the best so far are mutated into candidates.",
    )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search in rounds: fit, propose, choose, train."""
        assert isinstance(tasks, SearchBatch)
        guide = self._guide(tasks)
        first = random_order(tasks)[:, : self.startup]
        begin = first.shape[1]

        def ask(step: int, state: GuidedState) -> Proposal:
            place = step if step < begin else (step - begin) % self.every
            return Proposal(state.queue[:, place])

        def tell(
            state: GuidedState, evaluation: Evaluation
        ) -> tuple[GuidedState, StepMetrics]:
            state, after = record_evaluation(state, evaluation), evaluation.step + 1
            due = after >= begin and (after - begin) % self.every == 0
            # Not after the last evaluation: its proposals would never be trained.
            if due and after < tasks.horizon:
                queue = guide.choose_next(tasks, state, after, self.every)
                state = state._replace(queue=queue)
            return state, {}

        yield from run_search(tasks, start_guided(tasks, first), ask, tell, path=path)

    def _guide(self, tasks: SearchBatch) -> PredictorGuide:
        encode = ENCODINGS[self.encoding]

        def features(codes: np.ndarray) -> np.ndarray:
            return encode(tasks.space, codes)

        return PredictorGuide(
            features, self.predictors, self.candidates, self.parents, self.acquisition
        )
