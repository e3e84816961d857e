"""Cost of search runs: trained architectures."""

from app.experiment.costs import COSTS, CostModel, count_test_tasks
from engine.contract.kinds import SEARCH
from engine.contract.run_spec import RunSpec


def count_architectures(spec: RunSpec) -> float:
    """Return the approximate number of architectures trained, over all replicates.

    A meta-trained learner also searches its source tasks. Which learners are is not
    known here, so every chosen one counts as such.
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
