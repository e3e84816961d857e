"""Warm evolution: evolution that begins with the best of a knowledge base.

Source: Wistuba, Schilling and Schmidt-Thieme (2015), IEEE DSAA, on starting a search
from what was good elsewhere; evolution as by Real et al. (2019), arXiv:1802.01548.
Differs: what is good elsewhere is the mean standing over source tasks, shrunken by how
many they are; the gate is ours.
Helps: the shortest way from other tasks' trainings to a head start, with a negative
control (shuffled) and a gate against sources that mislead.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.contract.runs import Budget
from engine.inner.evolving import Evolution
from engine.inner.importing import given_base
from engine.inner.knowing import foreign
from engine.inner.remembering import Base, Sizes, remember
from engine.inner.searching import Info, explore
from engine.inner.sourcing import Source, lived, lots
from engine.inner.strategies import lessons
from engine.inner.warming import Warm, asked, begun, told_of, warm_start
from engine.protocol import (
    Asked,
    Estimator,
    Learner,
    Lesson,
    Meta,
    Outer,
    Plan,
    Spaces,
    Stretch,
    TaskBatch,
    Told,
)


@register("learner")
class WarmEvolution(Learner):
    """a_1…a_k = argmax_k mean over source tasks of standing(a); then evolution."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"spaces"})
    trains: ClassVar[bool] = True
    keeps_last: ClassVar[bool] = True
    knowledge: ClassVar[bool] = True

    seeds: int = knob(
        10, label="Seeds taken over", unit="architectures", low=0, high=500,
        help="How many of the best known are trained first; 0 is plain evolution.",
    )  # fmt: skip
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
    gate: float = knob(
        0.0, label="Similarity gate", low=0.0, high=1.0,
        help="Least Spearman correlation of the probes with the base; below it the "
        "warm start is dropped. 0 trusts any source.",
    )  # fmt: skip
    probes: int = knob(
        8, label="Probes", unit="architectures", low=3, high=100, advanced=True,
        help="Known architectures, from good to bad, that are trained first where "
        "there is a gate.",
    )  # fmt: skip
    population: int = knob(
        10, label="Population P", unit="architectures", low=1, high=500,
        help="How many live.",
    )  # fmt: skip
    sample: int = knob(
        10, label="Tournament S", unit="architectures", low=1, high=500,
        help="Drawn with replacement; the best of them is changed. More is greedier.",
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

    def unfit(self, meta: Meta, tasks: TaskBatch) -> str:
        """Say so where the base is of another space."""
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
        dice = lots(lesson, found.task.shape[1])
        base = remember(Base.read(meta.weights), found, dice)
        return Outer(meta.memory, {}, weights=base.weights())

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Search each drawn source task once."""
        return lessons(budget)

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Train what the base calls good, then evolve."""
        assert isinstance(tasks, Spaces)
        probes = self.probes if self.gate else 0
        base = Base.read(meta.weights)
        start = warm_start(base, tasks, self.seeds, self.population, probes)
        dice = tasks.dice("evolution", tasks.horizon, self.sample + 3)
        evolution = Evolution(start.trusted, dice, self.sample, aging=True)

        def ask(step: int, state: Warm) -> Asked:
            return asked(tasks, evolution, step, state)

        def tell(state: Warm, told: Told) -> tuple[Warm, Info]:
            return told_of(start, self.gate, evolution, state, told), {}

        state = begun(tasks, start, self.population)
        yield from explore(tasks, state, ask, tell, path=path)
