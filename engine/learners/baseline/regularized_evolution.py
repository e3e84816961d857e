"""Regularized evolution: tournaments in a population from which the oldest dies.

Source: Real et al. (2019), arXiv:1802.01548, algorithm 1; sizes as in the code of
NAS-Bench-201.
Helps: the baseline that is hard to beat on tables.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.inner.evolving import Evolution, Population, empty_population
from engine.inner.proposing import fresh
from engine.inner.searching import Info, explore
from engine.inner.strategies import FixedStrategy
from engine.protocol import Asked, Meta, Spaces, Stretch, TaskBatch, Told


@register("learner")
class RegularizedEvolution(FixedStrategy):
    """a_t = change(best of S drawn from the P youngest)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"spaces"})

    population: int = knob(
        10, label="Population P", unit="architectures", low=1, high=500,
        help="How many live; the first P are drawn at random.",
    )  # fmt: skip
    sample: int = knob(
        10, label="Tournament S", unit="architectures", low=1, high=500,
        help="Drawn with replacement; the best of them is changed. More is greedier.",
    )  # fmt: skip

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Search by evolution."""
        assert isinstance(tasks, Spaces)
        dice = tasks.dice("evolution", tasks.horizon, self.sample + 3)
        first = fresh(tasks)[:, : self.population]
        evolution = Evolution(first, dice, self.sample, aging=True)

        def ask(step: int, state: Population) -> Asked:
            return evolution.ask(tasks, step, state)

        def tell(state: Population, told: Told) -> tuple[Population, Info]:
            return evolution.tell(state, told), {}

        start = empty_population(tasks, self.population)
        yield from explore(tasks, start, ask, tell, path=path)
