"""Evolution without aging: tournaments in a population from which the worst dies.

Source: Real et al. (2019), arXiv:1802.01548, who compare aging with it; Goldberg and
Deb (1991), Foundations of Genetic Algorithms 1, on tournaments.
Differs: a child worse than all who live does not enter.
Helps: beside regularized evolution it shows what aging is good for: a lucky training
lives here for ever.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.evolution import (
    population_knob,
    run_evolution,
    sample_knob,
)
from engine.algorithms.search.strategy import FixedStrategy
from engine.contract.registry import register
from engine.protocol import Meta, SearchBatch, TaskBatch, TraceSegment


@register("learner")
class SteadyEvolution(FixedStrategy):
    """a_t = change(best of S drawn from the P best so far)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    population: int = population_knob()
    sample: int = sample_knob()

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search by evolution; the first architectures are regularized evolution's."""
        assert isinstance(tasks, SearchBatch)
        size, sample = self.population, self.sample
        yield from run_evolution(tasks, size, sample, aging=False, path=path)
