"""Local search: to the first better neighbor, until none is; then from a new start.

Source: den Ottelander et al. (2021), arXiv:2004.08996; White, Nolen and Savani
(2020), arXiv:2005.02960.
Differs: an architecture that was trained is not trained again: a climb walks over
what is known at no cost.
Helps: shows how smooth a space is: where there are few hills, nothing simpler wins.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.local_search import Climb, begun, chosen, moved
from engine.algorithms.search.loop import Info, explore
from engine.algorithms.search.proposals import fresh
from engine.algorithms.search.strategy import FixedStrategy
from engine.contract.registry import register
from engine.protocol import Asked, Meta, Spaces, Stretch, TaskBatch, Told


@register("learner")
class LocalSearch(FixedStrategy):
    """a ← a′ if better, a′ ~ uniform over the untried neighbors of a."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Search by climbs; the starts are random search's architectures."""
        assert isinstance(tasks, Spaces)
        starts, space = fresh(tasks), tasks.space
        uniform = tasks.uniform("local", tasks.horizon)

        def ask(step: int, state: Climb) -> Asked:
            return Asked(chosen(space, state, starts, uniform[:, step]))

        def tell(state: Climb, told: Told) -> tuple[Climb, Info]:
            return moved(space, state, told, starts), {}

        yield from explore(tasks, begun(tasks), ask, tell, path=path)
