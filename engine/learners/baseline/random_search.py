"""Random search: draw architectures uniformly.

Source: Bergstra and Bengio (2012), JMLR 13; Li and Talwalkar (2019), arXiv:1902.07638.
Helps: the baseline that every other strategy must beat.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.proposals import random_order, uniform_codes
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
class RandomSearch(FixedStrategy):
    """a_t ~ uniform over the space; the most accurate one seen is the answer."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "red"
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    repeats: bool = knob(
        False,
        label="With repeats",
        help="Whether an architecture may be drawn twice; repeats cost evaluations.",
    )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search; nothing is learned from evaluations."""
        assert isinstance(tasks, SearchBatch)
        if self.repeats:
            shape = (tasks.horizon, len(tasks.space.radix))
            plan = uniform_codes(tasks.space, tasks.uniform("search", *shape))
        else:
            plan = random_order(tasks)

        def ask(step: int, state: None) -> Proposal:
            return Proposal(plan[:, step])

        def tell(state: None, evaluation: Evaluation) -> tuple[None, StepMetrics]:
            return None, {}

        yield from run_search(tasks, None, ask, tell, path=path)
