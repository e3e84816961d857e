"""TPE: draws where good architectures are dense and bad ones are not, by Optuna.

Source: Bergstra et al. (2011), NeurIPS, for the estimator; Akiba et al. (2019),
arXiv:1907.10902, whose code runs here.
Differs: each architecture is asked of a sampler made anew, seeded by the search's
own stream, over the trials so far: nothing hidden is carried along.
Helps: what people use who tune by a library; it knows no task but this one.
"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from engine.algorithms.search.optuna_tpe import OptunaTpe, TpeSearch
from engine.algorithms.search.proposals import random_order
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.algorithms.search.strategy import FixedStrategy
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
class Tpe(FixedStrategy):
    """a_t = argmax l(a) / g(a) over draws from l, the density of the best trials."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "pink"
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    startup: int = knob(
        10,
        label="Random at first",
        unit="architectures",
        low=1,
        high=500,
        help="Trained before any density is estimated; random search's own.",
    )
    candidates: int = knob(
        24,
        label="Candidates",
        unit="draws",
        low=1,
        high=1_000,
        help="Drawn from the good density; the one with the best ratio is trained.",
    )
    joint: bool = knob(
        True,
        label="Decisions together",
        help="Whether one density is over all decisions (Optuna's default since 5), or "
        "one over each.",
    )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search; a member whose budget is spent asks no more."""
        assert isinstance(tasks, SearchBatch)
        parzen = OptunaTpe(tasks.space, self.candidates, self.joint)
        seeds = (tasks.uniform("tpe", tasks.horizon) * 2**31).astype(np.int64)
        first = random_order(tasks)[:, : self.startup]

        def ask(step: int, state: list[TpeSearch]) -> Proposal:
            if step < first.shape[1]:
                return Proposal(first[:, step])
            return Proposal(
                np.stack(
                    [
                        parzen.ask(trials, int(seed))
                        for trials, seed in zip(state, seeds[:, step], strict=True)
                    ]
                )
            )

        def tell(
            state: list[TpeSearch], evaluation: Evaluation
        ) -> tuple[list[TpeSearch], StepMetrics]:
            for trials, codes, value, live in zip(
                state, evaluation.codes, evaluation.value, evaluation.live, strict=True
            ):
                parzen.tell(trials, codes, float(value), live=bool(live))
            return state, {}

        start = [parzen.start_search() for _ in range(tasks.members)]
        yield from run_search(tasks, start, ask, tell, path=path)
