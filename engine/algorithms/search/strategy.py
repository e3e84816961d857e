"""What search strategies share beside the loop: budgets, and how little some train."""

from collections.abc import Sequence
from typing import ClassVar

from engine.contract.rng import Rng
from engine.contract.runs import Budget
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
    """A search strategy that brings nothing from other tasks: it has no training."""

    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return nothing: it knows nothing before it searches."""
        return Meta({}, {})

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Stay: there is nothing to move."""
        return Outer(meta.memory, {}, weights=meta.weights)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Take no meta-step."""
        return Plan(0, budget.tasks_per_step, 1, 1.0, float(budget.horizon))


def plan_searches(budget: Budget, searches: float = 1.0) -> Plan:
    """Spend the budget on whole searches of source tasks.

    Args:
        budget: Its task evaluations are searches of `horizon` trainings each.
        searches: How many are done on each drawn task and meta-step.
    """
    steps = int(budget.task_evaluations // (budget.tasks_per_step * searches))
    each = float(budget.horizon) * searches
    return Plan(steps, budget.tasks_per_step, 1, searches, each)
