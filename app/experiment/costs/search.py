"""A search is paid in architectures that are trained."""

from app.experiment.costs import COSTS, CostModel, count_test_tasks
from engine.contract.kinds import SEARCH
from engine.contract.runs import RunSpec


def count_architectures(spec: RunSpec) -> float:
    """Return about how many architectures all learners train, over all replicates.

    A learner that is meta-trained searches its source tasks, too; which ones are is
    not known here, so every chosen one counts.
    """
    budget = spec.budget
    learned = sum(
        e.role == "chosen" and e.label not in spec.inputs for e in spec.learners
    )
    searches = (
        len(spec.learners) * count_test_tasks(spec) + learned * budget.task_evaluations
    )
    return float(spec.replicates * searches * budget.horizon)


COSTS[SEARCH.name] = CostModel(count_architectures, count_architectures)
