"""Optimization is paid in gradients of the base learner."""

from app.experiment.costs import COSTS, RATES, Cost, tested
from engine.contract.kinds import OPTIMIZATION
from engine.contract.runs import RunSpec


def gradients(spec: RunSpec) -> float:
    """Return about how many gradients a run takes, over all replicates.

    >>> from engine.contract.runs import Choice, LearnerChoice
    >>> mine = LearnerChoice(name="sgd", label="sgd", role="baseline")
    >>> gradients(RunSpec(family=Choice(name="x"), learners=(mine,)))
    3200.0
    """
    budget = spec.budget
    tests = tested(spec) * len(spec.learners) * spec.replicates
    tuned = sum(e.knobs.get("tuning", "given") != "given" for e in spec.learners)
    trained = sum(
        e.role == "chosen" and e.label not in spec.inputs for e in spec.learners
    )
    training = trained * budget.task_evaluations * spec.replicates
    return float(
        budget.horizon * (tests + tuned * RATES * budget.tuning_tasks + training)
    )


COSTS[OPTIMIZATION.name] = Cost(gradients, gradients)
