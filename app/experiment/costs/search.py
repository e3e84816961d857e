"""Cost of search runs: trained architectures."""

from collections.abc import Iterator

from app.experiment.costs import (
    COSTS,
    CostModel,
    StageWork,
    chunked_work,
    count_conditions,
    count_test_tasks,
    is_trained,
)
from app.experiment.costs.knob_work import part_work
from engine.contract.kinds import SEARCH
from engine.contract.run_spec import LearnerChoice, RunSpec

# Searches that take as long as the fixed time of a step.
CHUNK = 16
CONSTANT = 1000.0  # tests that take as long as to begin and to end a run


def count_architectures(spec: RunSpec) -> float:
    """Return the approximate number of architectures trained, over all replicates.

    A meta-trained learner also searches its source tasks.
    """
    budget = spec.budget
    learned = sum(is_trained(spec, each) for each in spec.learners)
    searches = (
        len(spec.learners) * count_test_tasks(spec) + learned * budget.task_evaluations
    )
    return float(spec.replicates * searches * budget.horizon)


def stages(spec: RunSpec) -> Iterator[StageWork]:
    """Yield the stages of a batch of replicates."""
    budget = spec.budget
    for learner in spec.learners:
        name = learner.name
        checked = _search(spec, learner, budget.validation_tasks)
        yield StageWork("begin", name, checked)
        if is_trained(spec, learner):
            steps = budget.task_evaluations // budget.tasks_per_step
            checks = 1 + -(-steps // budget.validate_every)
            step = _search(spec, learner, budget.tasks_per_step)
            yield StageWork("train", name, steps * step + checks * checked)
        tested = _search(spec, learner, budget.test_tasks)
        yield StageWork("test", name, count_conditions(spec) * tested)
    filmed = sum(
        _search(spec.model_copy(update={"replicates": 1}), each, 1)
        for each in spec.learners
    )
    yield StageWork("film", "", filmed)
    tested = spec.replicates * count_test_tasks(spec) * len(spec.learners)
    yield StageWork("other", "", CONSTANT + tested)


def _search(spec: RunSpec, learner: LearnerChoice, tasks: int) -> float:
    """Return the work of each replicate's searches."""
    own, space = part_work("learner", learner), part_work("family", spec.family)
    step = chunked_work(spec.replicates, tasks, CHUNK, own.size * space.size)
    return spec.budget.horizon * own.steps * space.steps * step


COSTS[SEARCH.name] = CostModel(count_architectures, stages)
