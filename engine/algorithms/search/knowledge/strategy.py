"""Strategies that remember searches of other tasks: what all of them share.

They fill a knowledge base while they are trained; what they make of it on a new task
is each one's own.
"""

from collections.abc import Sequence
from typing import ClassVar

from engine.algorithms.search.knowledge.base import Base, Sizes, remember
from engine.algorithms.search.knowledge.import_export import given_base
from engine.algorithms.search.knowledge.queries import foreign
from engine.algorithms.search.knowledge.source_searches import (
    Source,
    draw_uniform,
    lived,
)
from engine.algorithms.search.strategy import lessons
from engine.contract.knobs import knob
from engine.contract.rng import Rng
from engine.contract.runs import Budget
from engine.protocol import (
    Estimator,
    Learner,
    Lesson,
    Meta,
    Outer,
    Plan,
    Spaces,
    TaskBatch,
)


class Experienced(Learner):
    """A strategy whose meta-weights are a knowledge base."""

    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    trains: ClassVar[bool] = True
    keeps_last: ClassVar[bool] = True
    knowledge: ClassVar[bool] = True

    source: Source = knob(
        "random", label="Source searched by",
        help="How the source tasks are searched: at random, or by evolution, which "
        "knows more of good architectures and less of bad ones.",
    )  # fmt: skip
    shuffled: bool = knob(
        False, label="Shuffled source",
        help="Negative control: each source search's accuracies are dealt out anew "
        "among its architectures, so a gain that stays is none of knowledge.",
    )  # fmt: skip
    best: int = knob(
        100, label="Best kept", unit="experiences", low=1, high=10_000, advanced=True,
        help="Entries of the base for the best experiences.",
    )  # fmt: skip
    capacity: int = knob(
        1000, label="Capacity", unit="experiences", low=1, high=100_000, advanced=True,
        help="Entries in all; beside the best, a uniform sample of everything seen.",
    )  # fmt: skip
    base: str = knob(
        "", label="Imported base", advanced=True,
        help="sha256 of an imported knowledge base to start from; empty for none.",
    )  # fmt: skip

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot take these tasks; None if it can."""
        assert isinstance(tasks, Spaces)
        return foreign(meta.weights["space"].cpu().numpy(), tasks)

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the imported base, or an empty one."""
        assert isinstance(tasks, Spaces)
        sizes = Sizes(self.best, max(self.best, self.capacity))
        return Meta(given_base(self.base, tasks, len(rngs), sizes).weights(), {})

    def outer(
        self, meta: Meta, tasks: TaskBatch, lesson: Lesson, estimator: Estimator
    ) -> Outer:
        """Search source tasks and remember what was trained."""
        assert isinstance(tasks, Spaces)
        found = lived(tasks, lesson, self.source, shuffled=self.shuffled)
        uniform = draw_uniform(lesson, found.task.shape[1])
        base = remember(Base.read(meta.weights), found, uniform)
        return Outer(meta.memory, {}, weights=base.weights())

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Search each drawn source task once."""
        return lessons(budget)
