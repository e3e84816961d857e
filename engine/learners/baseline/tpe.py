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

from engine.algorithms.search.loop import Info, explore
from engine.algorithms.search.proposals import fresh
from engine.algorithms.search.strategy import FixedStrategy
from engine.algorithms.search.tpe import Parzen, Trials
from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.protocol import Asked, Meta, Spaces, Stretch, TaskBatch, Told


@register("learner")
class Tpe(FixedStrategy):
    """a_t = argmax l(a) / g(a) over draws from l, the density of the best trials."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "pink"
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    startup: int = knob(
        10, label="Random at first", unit="architectures", low=1, high=500,
        help="Trained before any density is estimated; random search's own.",
    )  # fmt: skip
    candidates: int = knob(
        24, label="Candidates", unit="draws", low=1, high=1_000,
        help="Drawn from the good density; the one with the best ratio is trained.",
    )  # fmt: skip
    joint: bool = knob(
        True, label="Decisions together",
        help="Whether one density is over all decisions (Optuna's default since 5), or "
        "one over each.",
    )  # fmt: skip

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Search; a member whose budget is spent asks no more."""
        assert isinstance(tasks, Spaces)
        parzen = Parzen(tasks.space, self.candidates, self.joint)
        seeds = (tasks.uniform("tpe", tasks.horizon) * 2**31).astype(np.int64)
        first = fresh(tasks)[:, : self.startup]

        def ask(step: int, state: list[Trials]) -> Asked:
            if step < first.shape[1]:
                return Asked(first[:, step])
            return Asked(
                np.stack(
                    [
                        parzen.ask(trials, int(seed))
                        for trials, seed in zip(state, seeds[:, step], strict=True)
                    ]
                )
            )

        def tell(state: list[Trials], told: Told) -> tuple[list[Trials], Info]:
            for trials, codes, value, live in zip(
                state, told.codes, told.value, told.live, strict=True
            ):
                parzen.tell(trials, codes, float(value), live=bool(live))
            return state, {}

        start = [parzen.begun() for _ in range(tasks.members)]
        yield from explore(tasks, start, ask, tell, path=path)
