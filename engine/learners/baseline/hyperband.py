"""Hyperband: successive halvings, from many short trainings to few long ones.

Source: Li et al. (2018), arXiv:1603.06560, algorithm 1.
Differs: the brackets are repeated until the budget ends; promoted architectures are
retrained from scratch. Each training counts as one evaluation however short it is, so
that cost, not the number of evaluations, is the fair axis.
Helps: successive halving without having to know how early a bad architecture shows.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.successive_halving import (
    brackets,
    fidelity_steps,
    run_halvings,
    why_not_shortened,
)
from engine.algorithms.search.untrained_strategy import FixedStrategy
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Meta, SearchBatch, TaskBatch, TraceSegment


@register("learner")
class Hyperband(FixedStrategy):
    """n = ⌈(s_max + 1) ηˢ / (s + 1)⌉ begin for R η⁻ˢ epochs, s = s_max, …, 0."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    eta: float = knob(
        3.0,
        label="Reduction factor η",
        low=2.0,
        high=10.0,
        help="One in η is promoted, and trained at least η times as long.",
    )

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why trainings cannot be shortened; None if they can."""
        assert isinstance(tasks, SearchBatch)
        return why_not_shortened(tasks, self.eta)

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search by one bracket after another."""
        assert isinstance(tasks, SearchBatch)
        steps = fidelity_steps(tasks, self.eta)
        yield from run_halvings(tasks, brackets(steps, self.eta), path=path)
