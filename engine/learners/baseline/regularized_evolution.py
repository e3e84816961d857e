"""Regularized evolution: tournament selection; the oldest in the population dies.

Source: Real et al. (2019), arXiv:1802.01548, algorithm 1.
Differs: P = S = 10 by default, as in the code of NAS-Bench-201 (Dong and Yang, 2020,
arXiv:2001.00326); the paper has 100 and 25.
Helps: a baseline that is hard to beat on tabular benchmarks.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.evolution import (
    population_knob,
    run_evolution,
    sample_knob,
)
from engine.algorithms.search.untrained_strategy import FixedStrategy
from engine.contract.registry import register
from engine.protocol import Meta, SearchBatch, TaskBatch, TraceSegment


@register("learner")
class RegularizedEvolution(FixedStrategy):
    """a_t = mutate(best of S drawn from the P youngest)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    population: int = population_knob()
    sample: int = sample_knob()

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search by evolution."""
        assert isinstance(tasks, SearchBatch)
        size, sample = self.population, self.sample
        yield from run_evolution(tasks, size, sample, aging=True, path=path)
