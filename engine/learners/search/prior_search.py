"""Prior search: draws each option in proportion to its frequency in good architectures.

Source: Baluja (1994), CMU-CS-94-163, population-based incremental learning: a
probability per option, moved toward the best; a knowledge base provides the initial
Dirichlet counts.
Differs: counts of the search's own elite replace a learning rate.
Helps: transfers which options are good, not which architectures: useful where the best
known ones do not fit. Compared with warm evolution, it shows how much of the knowledge
is in combinations of options.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.knowledge.knowledge_base import KnowledgeBase
from engine.algorithms.search.knowledge.knowledge_strategy import KnowledgeStrategy
from engine.algorithms.search.knowledge.option_prior import (
    Elite,
    draw_options,
    empty_elite,
    insert_if_better,
    option_probabilities,
    prior_counts,
)
from engine.algorithms.search.search_loop import StepMetrics, run_search
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
class PriorSearch(KnowledgeStrategy):
    """P(option) ∝ α + w · share among the best known + count among the own best."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    weight: float = knob(
        10.0,
        label="Weight of the base w",
        unit="architectures",
        low=0.0,
        high=1000.0,
        help="Number of own architectures that the base is worth; 0 ignores it.",
    )
    elite: int = knob(
        10,
        label="Elite size",
        unit="architectures",
        low=1,
        high=500,
        help="Number of the search's own best that are counted. Smaller is greedier.",
    )
    smoothing: float = knob(
        0.5,
        label="Smoothing α",
        unit="counts",
        low=0.01,
        high=100.0,
        log=True,
        help="Added to the count of each option, so that all remain possible.",
    )
    known: int = knob(
        20,
        label="Best known",
        unit="architectures",
        low=1,
        high=10_000,
        advanced=True,
        help="Number of the knowledge base's best architectures that are counted.",
    )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Draw from the prior, updated by the search's own elite."""
        assert isinstance(tasks, SearchBatch)
        base = KnowledgeBase.from_weights(meta.weights)
        counts = prior_counts(base, tasks, self.known, self.weight, self.smoothing)
        uniform = tasks.uniform("prior", tasks.horizon, len(tasks.space.radix))

        def ask(step: int, state: Elite) -> Proposal:
            return Proposal(
                draw_options(option_probabilities(counts, state), uniform[:, step])
            )

        def tell(state: Elite, evaluation: Evaluation) -> tuple[Elite, StepMetrics]:
            state = insert_if_better(state, evaluation)
            return state, {"policy": option_probabilities(counts, state)}

        start = empty_elite(tasks, self.elite)
        yield from run_search(tasks, start, ask, tell, path=path)
