"""Evolution without aging: tournament selection; the worst in the population dies.

Source: Real et al. (2019), arXiv:1802.01548, who compare it with aging; Goldberg and
Deb (1991), Foundations of Genetic Algorithms 1, on tournaments.
Differs: a child worse than the whole population is discarded; P = S = 10 by default, as
for regularized evolution.
Helps: compared with regularized evolution, it shows the use of aging: here an
architecture with one lucky training stays forever.
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
class SteadyEvolution(FixedStrategy):
    """a_t = mutate(best of S drawn from the P best so far)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    population: int = population_knob()
    sample: int = sample_knob()

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search by evolution, from regularized evolution's first population."""
        assert isinstance(tasks, SearchBatch)
        size, sample = self.population, self.sample
        yield from run_evolution(tasks, size, sample, aging=False, path=path)
