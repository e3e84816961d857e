"""Prior search: each option is drawn as often as good architectures have it.

Source: Baluja (1994), CMU-CS-94-163, population-based incremental learning: a
probability for each option, moved toward the best; the start is a knowledge base's, as
a prior of Dirichlet counts.
Differs: counts of the own best take the place of a learning rate.
Helps: carries which options are good, not which architectures: it serves where the
best known ones do not fit, and shows, held against warm evolution, how much of the
knowledge is in how options go together.
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
        help="How many own good architectures the base counts as; 0 ignores it.",
    )
    elite: int = knob(
        10,
        label="Own best",
        unit="architectures",
        low=1,
        high=500,
        help="How many of the search's own best are counted. Fewer is greedier.",
    )
    smoothing: float = knob(
        0.5,
        label="Smoothing α",
        unit="counts",
        low=0.01,
        high=100.0,
        log=True,
        help="Added to each option's count, so that none is out of reach.",
    )
    known: int = knob(
        20,
        label="Best known",
        unit="architectures",
        low=1,
        high=10_000,
        advanced=True,
        help="How many of the base's best architectures are counted.",
    )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Draw from the prior, which the own best move."""
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
