"""Base class of strategies that transfer knowledge from searches of other tasks.

All of them fill a knowledge base in meta-training; each uses it on a new task in its
own way.
"""

from collections.abc import Sequence
from typing import ClassVar

from engine.algorithms.search.knowledge.import_export import initial_base
from engine.algorithms.search.knowledge.knowledge_base import (
    BaseSizes,
    KnowledgeBase,
    add_experiences,
)
from engine.algorithms.search.knowledge.queries import space_mismatch
from engine.algorithms.search.knowledge.source_searches import (
    SourceStrategy,
    draw_uniform,
    run_source_searches,
)
from engine.algorithms.search.untrained_strategy import plan_searches
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.protocol import (
    Estimator,
    Learner,
    Meta,
    Outer,
    OuterStepContext,
    Plan,
    SearchBatch,
    TaskBatch,
)


class KnowledgeStrategy(Learner):
    """A strategy whose meta-weights are a knowledge base."""

    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    trains: ClassVar[bool] = True
    keeps_last: ClassVar[bool] = True
    knowledge: ClassVar[bool] = True

    source: SourceStrategy = knob(
        "random",
        label="Source search",
        help="How the source tasks are searched: at random, or by evolution, which "
        "sees more good architectures and fewer bad ones.",
    )
    shuffled: bool = knob(
        False,
        label="Shuffled source",
        help="Negative control: the accuracies of each source search are randomly "
        "permuted, so any remaining gain is not due to knowledge.",
    )
    best: int = knob(
        100,
        label="Best kept",
        unit="experiences",
        low=1,
        high=10_000,
        advanced=True,
        help="Entries of the knowledge base for the best experiences.",
    )
    capacity: int = knob(
        1000,
        label="Capacity",
        unit="experiences",
        low=1,
        high=100_000,
        advanced=True,
        help="Entries in total; those beyond the best are a uniform sample of "
        "everything seen.",
    )
    base: str = knob(
        "",
        label="Imported base",
        advanced=True,
        help="sha256 of an imported knowledge base to start from; empty for none.",
    )

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot take these tasks; None if it can."""
        assert isinstance(tasks, SearchBatch)
        return space_mismatch(meta.weights["space"].cpu().numpy(), tasks)

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the imported base, or an empty one."""
        assert isinstance(tasks, SearchBatch)
        sizes = BaseSizes(self.best, max(self.best, self.capacity))
        return Meta(initial_base(self.base, tasks, len(rngs), sizes).to_weights(), {})

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Search source tasks and add the trained architectures to the base."""
        assert isinstance(tasks, SearchBatch)
        found = run_source_searches(
            tasks, step_context, self.source, shuffled=self.shuffled
        )
        uniform = draw_uniform(step_context, found.task.shape[1])
        base = add_experiences(KnowledgeBase.from_weights(meta.weights), found, uniform)
        return Outer(meta.memory, {}, weights=base.to_weights())

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Search each drawn source task once."""
        return plan_searches(budget)
