"""Random search: every architecture is as likely as any other.

Source: Bergstra and Bengio (2012), JMLR 13; Li and Talwalkar (2019), arXiv:1902.07638.
Helps: the line that every other strategy must stay above.
"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from engine.algorithms.search.loop import Info, explore
from engine.algorithms.search.proposals import fresh, uniform_codes
from engine.algorithms.search.strategy import FixedStrategy
from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.protocol import Asked, Meta, Spaces, Stretch, TaskBatch, Told


@register("learner")
class RandomSearch(FixedStrategy):
    """a_t ~ uniform over the space; the most accurate one seen is the answer."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "red"
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    repeats: bool = knob(
        False, label="With repeats",
        help="Whether an architecture may be drawn twice; a repeat counts and costs.",
    )  # fmt: skip

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Search; nothing is learned from what was trained."""
        assert isinstance(tasks, Spaces)
        plan = self._order(tasks)

        def ask(step: int, state: None) -> Asked:
            return Asked(plan[:, step])

        def tell(state: None, told: Told) -> tuple[None, Info]:
            return None, {}

        yield from explore(tasks, None, ask, tell, path=path)

    def _order(self, tasks: Spaces) -> np.ndarray:
        if not self.repeats:
            return fresh(tasks)
        shape = (tasks.horizon, len(tasks.space.radix))
        return uniform_codes(tasks.space, tasks.uniform("search", *shape))
