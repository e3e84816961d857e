"""Predictor search: an ensemble predicts accuracy, and its doubt is a reason to look.

Source: White et al. (2021), arXiv:1910.11858 (BANANAS).
Differs: the predictors are ridge regressions on bootstraps, of accuracies turned into
normal scores; half of the candidates are drawn at random.
Helps: shows what a model of the space is worth before any other task is known.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np

from engine.algorithms.search.encodings import ENCODINGS
from engine.algorithms.search.loop import Info, explore
from engine.algorithms.search.predictor_guided import Guide, Guided, noted, started
from engine.algorithms.search.proposals import fresh
from engine.algorithms.search.strategy import FixedStrategy
from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.protocol import Asked, Meta, Spaces, Stretch, TaskBatch, Told


@register("learner")
class PredictorSearch(FixedStrategy):
    """a_t = argmax over candidates of an acquisition of f₁(a), …, f_M(a)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    startup: int = knob(
        10, label="Random at first", unit="architectures", low=2, high=500,
        help="Trained before anything is predicted; random search's own.",
    )  # fmt: skip
    every: int = knob(
        10, label="Trained per fit", unit="architectures", low=1, high=100,
        help="How many are chosen by one fit of the predictors.",
    )  # fmt: skip
    acquisition: Literal["thompson", "ucb", "ei"] = knob(
        "thompson", label="Acquisition",
        help="Independent Thompson sampling, an upper confidence bound (one standard "
        "deviation), or expected improvement.",
    )  # fmt: skip
    encoding: Literal["path", "adjacency", "one-hot"] = knob(
        "path", label="Encoding",
        help="What the predictors see of an architecture.",
    )  # fmt: skip
    predictors: int = knob(
        5, label="Predictors M", low=2, high=50, advanced=True,
        help="Each is fitted to a bootstrap of its own.",
    )  # fmt: skip
    candidates: int = knob(
        200, label="Candidates", unit="architectures", low=2, high=5_000,
        advanced=True,
        help="Proposed per fit: half are changes of the best, half random.",
    )  # fmt: skip
    parents: int = knob(
        10, label="Changed", unit="architectures", low=1, high=500, advanced=True,
        help="How many of the best so far are changed to make candidates.",
    )  # fmt: skip

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Search in rounds: fit, propose, choose, train."""
        assert isinstance(tasks, Spaces)
        guide = self._guide(tasks)
        first = fresh(tasks)[:, : self.startup]
        begin = first.shape[1]

        def ask(step: int, state: Guided) -> Asked:
            place = step if step < begin else (step - begin) % self.every
            return Asked(state.queue[:, place])

        def tell(state: Guided, told: Told) -> tuple[Guided, Info]:
            state, after = noted(state, told), told.step + 1
            due = after >= begin and (after - begin) % self.every == 0
            if due and after < tasks.horizon:
                queue = guide.queue(tasks, state, after, self.every)
                state = state._replace(queue=queue)
            return state, {}

        yield from explore(tasks, started(tasks, first), ask, tell, path=path)

    def _guide(self, tasks: Spaces) -> Guide:
        encode = ENCODINGS[self.encoding]

        def features(codes: np.ndarray) -> np.ndarray:
            return encode(tasks.space, codes)

        return Guide(
            *(features, self.predictors, self.candidates, self.parents),
            self.acquisition,
        )
