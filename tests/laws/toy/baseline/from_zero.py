"""From zero: halve the distance, and remember nothing."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.protocol import (
    Estimator,
    Learner,
    Meta,
    Outer,
    OuterStepContext,
    Plan,
    TaskBatch,
    TraceSegment,
)
from tests.laws.toy.from_the_mean import halved


@register("learner")
class FromZero(Learner):
    """x₀ = 0."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"guessing"})
    trains: ClassVar[bool] = False

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Begin at 0."""
        return Meta({"start": torch.zeros(len(rngs))}, {})

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Halve the distance with each guess."""
        yield halved(torch.zeros(tasks.members), tasks)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Stay."""
        return Outer({}, {}, weights=meta.weights)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Spend nothing on meta-training."""
        return Plan(0, 1, 1, 1.0, float(budget.horizon))
