"""From the mean: begin where other games ended, and halve the distance."""

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
from engine.protocol.member_chunks import broadcast_to_members
from tests.laws.toy.guessing.hidden_numbers import Games


def halved(start: torch.Tensor, tasks: TaskBatch) -> TraceSegment:
    """Return the distance after each guess, which halves; (member, step)."""
    assert isinstance(tasks, Games)
    halves = 0.5 ** torch.arange(tasks.horizon + 1)
    return TraceSegment({"loss": (start - tasks.hidden).abs()[:, None] * halves})


@register("learner")
class FromTheMean(Learner):
    """x₀ ← mean of the numbers that were met."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"guessing"})
    trains: ClassVar[bool] = True

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Begin at 0."""
        return Meta({"start": torch.zeros(len(rngs))}, {})

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Halve the distance with each guess."""
        yield halved(broadcast_to_members(meta.weights, tasks.members)["start"], tasks)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Go half the way to the mean of the numbers met."""
        assert isinstance(tasks, Games)
        mean = tasks.hidden.view(tasks.replicates, -1).mean(1)
        return Outer({}, {}, weights={"start": (meta.weights["start"] + mean) / 2})

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Meet as many games as the budget allows."""
        steps = budget.task_evaluations // budget.tasks_per_step
        return Plan(steps, budget.tasks_per_step, 1, 1.0, float(budget.horizon))
