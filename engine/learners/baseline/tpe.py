"""TPE: samples where good architectures are dense and bad ones rare, by Optuna.

Source: Bergstra et al. (2011), NeurIPS, for the estimator; Akiba et al. (2019),
arXiv:1907.10902, whose code runs here.
Differs: each proposal comes from a new sampler over the trials so far, seeded by the
search's own stream: no hidden state is carried along.
Helps: the default of a widely used tuning library; it uses no other task.
"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from engine.algorithms.search.optuna_tpe import OptunaTpe, TpeSearch
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
class Tpe(FixedStrategy):
    """a_t = argmax l(a) / g(a) over draws from l, the density of the best trials."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "pink"
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    startup: int = knob(
        10,
        label="Initial random",
        unit="architectures",
        low=1,
        high=500,
        help="Random architectures before the first density estimate; the same as "
        "random search's.",
    )
    candidates: int = knob(
        24,
        label="Candidates",
        unit="draws",
        low=1,
        high=1_000,
        work="size",
        help="Samples from the density of good trials; the one with the best ratio is "
        "trained.",
    )
    joint: bool = knob(
        True,
        label="Multivariate",
        help="One joint density over all decisions (Optuna's default since 5), or an "
        "independent one for each.",
    )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search by one sampler per member."""
        assert isinstance(tasks, SearchBatch)
        parzen = OptunaTpe(tasks.space, self.candidates, self.joint)
        # Drawn at once, so that a proposal depends on its step and the trials alone.
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
