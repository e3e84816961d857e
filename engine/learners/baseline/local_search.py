"""Local search: move to the first better neighbor; at a local optimum, restart.

Source: den Ottelander et al. (2021), arXiv:2004.08996; White, Nolen and Savani
(2020), arXiv:2005.02960.
Differs: an architecture that was trained is not trained again: a climb may move over
known architectures at no cost.
Helps: shows how smooth a space is: with few local optima, this simple search is strong.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.local_search import (
    ClimbState,
    choose_neighbors,
    start_climbs,
    update_climbs,
)
from engine.algorithms.search.proposals import random_order
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.algorithms.search.untrained_strategy import FixedStrategy
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
class LocalSearch(FixedStrategy):
    """a ← a′ if better, a′ ~ uniform over the untried neighbors of a."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search by hill climbing; it starts where random search does."""
        assert isinstance(tasks, SearchBatch)
        starts, space = random_order(tasks), tasks.space
        uniform = tasks.uniform("local", tasks.horizon)

        def ask(step: int, state: ClimbState) -> Proposal:
            return Proposal(choose_neighbors(space, state, starts, uniform[:, step]))

        def tell(
            state: ClimbState, evaluation: Evaluation
        ) -> tuple[ClimbState, StepMetrics]:
            return update_climbs(space, state, evaluation, starts), {}

        yield from run_search(tasks, start_climbs(tasks), ask, tell, path=path)
