"""Warm evolution: evolution that starts from the best of a knowledge base.

Source: Wistuba, Schilling and Schmidt-Thieme (2015), IEEE DSAA, on warm-starting a
search from other tasks; the evolution by Real et al. (2019), arXiv:1802.01548.
Differs: architectures are ranked by their mean z-score over source tasks, shrunken by
the number of tasks; the gate is ours.
Helps: the simplest use of other tasks' trainings, with a negative control (shuffled)
and a gate against misleading sources.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.evolution import Evolution, population_knob, sample_knob
from engine.algorithms.search.knowledge.knowledge_base import KnowledgeBase
from engine.algorithms.search.knowledge.knowledge_strategy import KnowledgeStrategy
from engine.algorithms.search.knowledge.warm_start import (
    WarmState,
    propose_warm,
    start_warm_search,
    update_warm_state,
    warm_start,
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
class WarmEvolution(KnowledgeStrategy):
    """a_1…a_k = argmax_k mean over source tasks of z(a); then evolution."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "blue"
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    seeds: int = knob(
        10,
        label="Transferred seeds",
        unit="architectures",
        low=0,
        high=500,
        help="Number of best known architectures to train first; 0 is plain evolution.",
    )
    gate: float = knob(
        0.0,
        label="Similarity gate",
        low=0.0,
        high=1.0,
        help="Least Spearman correlation of the probes with the knowledge base; below "
        "it the warm start is dropped. 0 trusts any source.",
    )
    probes: int = knob(
        8,
        label="Probes",
        unit="architectures",
        low=3,
        high=100,
        advanced=True,
        help="Known architectures, from good to bad, that are trained first if there "
        "is a gate.",
    )
    population: int = population_knob("")
    sample: int = sample_knob()

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Train the best of the knowledge base, then evolve."""
        assert isinstance(tasks, SearchBatch)
        probes = self.probes if self.gate else 0
        base = KnowledgeBase.from_weights(meta.weights)
        start = warm_start(base, tasks, self.seeds, self.population, probes)
        uniform = tasks.uniform("evolution", tasks.horizon, self.sample + 3)
        evolution = Evolution(start.trusted, uniform, self.sample, aging=True)

        def ask(step: int, state: WarmState) -> Proposal:
            return propose_warm(tasks, evolution, step, state)

        def tell(
            state: WarmState, evaluation: Evaluation
        ) -> tuple[WarmState, StepMetrics]:
            return update_warm_state(start, self.gate, evolution, state, evaluation), {}

        state = start_warm_search(tasks, start, self.population)
        yield from run_search(tasks, state, ask, tell, path=path)
