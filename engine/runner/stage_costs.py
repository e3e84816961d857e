"""The cost of a run's stages in gradient evaluations, for the progress bar."""

from engine.runner.baseline_tuning import SEARCH_COST
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.rate_search import RATES


def validation_cost(context: RunContext, entry: LearnerEntry) -> float:
    """Return how many gradient evaluations a validation takes."""
    each = entry.learner.gradients_per_test(context.spec.budget.horizon)
    return context.spec.replicates * context.spec.budget.validation_tasks * each


def tuning_cost(context: RunContext, entry: LearnerEntry) -> float:
    """Return about how many gradient evaluations it takes to tune the rates."""
    spec, budget = context.spec, context.spec.budget
    evaluations = SEARCH_COST if context.tunes_first(entry) else RATES
    each = entry.learner.gradients_per_test(budget.horizon)
    return spec.replicates * evaluations * budget.tuning_tasks * each


def training_cost(context: RunContext, entry: LearnerEntry) -> float:
    """Return how many gradient evaluations training takes, validations included."""
    budget = context.spec.budget
    plan = entry.learner.plan(budget, context.estimator)
    steps = plan.steps * plan.tasks_per_step * plan.gradients
    times = 1 + plan.steps // budget.validate_every
    return context.spec.replicates * steps + times * validation_cost(context, entry)
