"""Shared by search strategies: no meta-training, or a plan that spends its budget."""

from collections.abc import Sequence
from typing import ClassVar

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
)


class FixedStrategy(Learner):
    """A search strategy without meta-training: it transfers nothing between tasks."""

    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return empty meta-weights."""
        return Meta({}, {})

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the meta-weights unchanged."""
        return Outer(meta.memory, {}, weights=meta.weights)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Plan no meta-steps."""
        return Plan(0, budget.tasks_per_step, 1, 1.0, float(budget.horizon))


def plan_searches(budget: Budget, searches: float = 1.0) -> Plan:
    """Plan meta-steps that spend the budget on full searches of source tasks.

    Args:
        budget: One task evaluation is one search of `horizon` trainings.
        searches: Searches per drawn task and meta-step.
    """
    steps = int(budget.task_evaluations // (budget.tasks_per_step * searches))
    each = float(budget.horizon) * searches
    return Plan(steps, budget.tasks_per_step, 1, searches, each)
