"""Cost of optimization runs: gradients of the base learner."""

from app.experiment.costs import COSTS, TUNING_COST, CostModel, count_test_tasks
from engine.contract.kinds import OPTIMIZATION
from engine.contract.run_spec import RunSpec


def count_gradients(spec: RunSpec) -> float:
    """Return the approximate number of gradients of a run, over all replicates.

    >>> from engine.contract.run_spec import Choice, LearnerChoice
    >>> mine = LearnerChoice(name="sgd", label="sgd", role="baseline")
    >>> count_gradients(RunSpec(family=Choice(name="x"), learners=(mine,)))
    3200.0
    """
    budget = spec.budget
    tests = count_test_tasks(spec) * len(spec.learners) * spec.replicates
    tuned = sum(e.knobs.get("tuning", "given") != "given" for e in spec.learners)
    trained = sum(
        e.role == "chosen" and e.label not in spec.inputs for e in spec.learners
    )
    training = trained * budget.task_evaluations * spec.replicates
    tuning = budget.tuning_tasks * spec.replicates
    return float(budget.horizon * (tests + tuned * TUNING_COST * tuning + training))


COSTS[OPTIMIZATION.name] = CostModel(count_gradients, count_gradients)
