"""Cost of optimization runs: gradients of the base learner."""

from collections.abc import Iterator

from app.experiment.costs import (
    COSTS,
    TUNING_COST,
    TUNING_TRIALS,
    CostModel,
    StageWork,
    chunked_work,
    count_conditions,
    count_test_tasks,
    is_trained,
    is_tuned,
)
from app.experiment.costs.knob_work import find_number, part_work
from engine.contract.kinds import OPTIMIZATION
from engine.contract.run_spec import LearnerChoice, RunSpec

CHUNK = 64  # members that are computed at once
THRESHOLD_TASKS = 64  # on which the threshold is fixed
CONSTANT = 400.0  # tests that take as long as to begin and to end a run


def count_gradients(spec: RunSpec) -> float:
    """Return the approximate number of gradients of a run, over all replicates."""
    budget = spec.budget
    tests = count_test_tasks(spec) * len(spec.learners)
    trained = sum(is_trained(spec, each) for each in spec.learners)
    tuning = sum(TUNING_COST * tuning_tasks(spec, each) for each in spec.learners)
    each = tests + tuning + trained * budget.task_evaluations
    return float(budget.horizon * spec.replicates * each)


def stages(spec: RunSpec) -> Iterator[StageWork]:
    """Yield the stages of a batch of replicates."""
    budget = spec.budget
    for learner in spec.learners:
        name, own = learner.name, part_work("learner", learner)
        tested = own.steps * _descend(spec, budget.test_tasks, own.size)
        checked = own.steps * _descend(spec, budget.validation_tasks, own.size)
        if is_tuned(spec, learner):
            # A quarter of the tasks at coarse rates, then all of them at fine ones.
            few = TUNING_COST / TUNING_TRIALS * tuning_tasks(spec, learner)
            tried = own.steps * _descend(spec, few, own.size)
            yield StageWork("tune", name, TUNING_TRIALS * tried + checked)
        else:
            yield StageWork("begin", name, checked)
        if is_trained(spec, learner):
            yield StageWork("train", name, _training_work(spec, learner, checked))
        yield StageWork("test", name, count_conditions(spec) * tested)
    filmed = len(spec.learners) * _descend(spec, THRESHOLD_TASKS / spec.replicates, 1.0)
    yield StageWork("film", "", filmed)
    tested = spec.replicates * count_test_tasks(spec) * len(spec.learners)
    yield StageWork("other", "", CONSTANT + tested)


def _training_work(spec: RunSpec, learner: LearnerChoice, checked: float) -> float:
    """Return the work of meta-training.

    Args:
        spec: A batch of replicates.
        learner: The learner.
        checked: The work of one validation.
    """
    budget, own = spec.budget, part_work("learner", learner)
    members = find_number("estimator", spec.estimator, "members", 1.0)
    window = find_number("estimator", spec.estimator, "window", budget.horizon)
    window = min(window, budget.horizon)
    # The budget counts whole runs of `horizon` steps, by every member.
    runs = budget.tasks_per_step * members * window / budget.horizon
    steps = max(1.0, budget.task_evaluations / runs)
    estimated = part_work("estimator", spec.estimator)
    size = own.size * _task_size(spec)
    whole = 1.0 + spec.replicates * budget.tasks_per_step * members / CHUNK * size
    step = whole * (window * own.steps + estimated.steps)
    checks = 1 + steps / budget.validate_every
    return steps * step * part_work("net", spec.net).steps + checks * checked


def _descend(spec: RunSpec, tasks: float, size: float) -> float:
    """Return the work of training the base learner on each replicate's tasks."""
    count = max(1.0, tasks)
    step = chunked_work(spec.replicates, count, CHUNK, size * _task_size(spec))
    return spec.budget.horizon * part_work("net", spec.net).steps * step


def _task_size(spec: RunSpec) -> float:
    return part_work("net", spec.net).size * part_work("family", spec.family).size


def tuning_tasks(spec: RunSpec, learner: LearnerChoice) -> int:
    """Return on how many tasks fine rates are tried; 0 for a learner as given."""
    budget = spec.budget
    if not is_tuned(spec, learner):
        return 0
    if learner.knobs.get("tuning") != "equal_budget":
        return budget.tuning_tasks
    return max(budget.tuning_tasks, budget.task_evaluations // TUNING_COST)


COSTS[OPTIMIZATION.name] = CostModel(count_gradients, stages)
