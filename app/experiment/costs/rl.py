"""Cost of runs of agents: counted in trials, timed by steps in environments."""

from collections.abc import Iterator

from app.experiment.costs import (
    COSTS,
    TUNING_TRIALS,
    CostModel,
    StageWork,
    chunked_work,
    count_conditions,
    count_test_tasks,
    is_trained,
    is_tuned,
)
from app.experiment.costs.knob_work import Phase, part_work
from engine.contract.kinds import RL
from engine.contract.run_spec import LearnerChoice, RunSpec

CHUNK = 512  # members that are played at once
UPDATE = 20.0  # steps in an environment that take as long as a gradient of a policy
CONSTANT = 1000.0  # tests that take as long as to begin and to end a run


def count_trials(spec: RunSpec) -> float:
    """Return the approximate number of trials of all agents and replicates."""
    budget, total = spec.budget, 0.0
    for learner in spec.learners:
        total += count_test_tasks(spec)
        total += is_trained(spec, learner) * budget.task_evaluations
        total += is_tuned(spec, learner) * TUNING_TRIALS * budget.tuning_tasks
    return spec.replicates * total


def stages(spec: RunSpec) -> Iterator[StageWork]:
    """Yield the stages of a batch of replicates."""
    budget = spec.budget
    for learner in spec.learners:
        name = learner.name
        checked = _play(spec, learner, budget.validation_tasks, "test")
        yield StageWork("begin", name, checked)
        if is_trained(spec, learner):
            steps = budget.task_evaluations // budget.tasks_per_step
            checks = 1 + -(-steps // budget.validate_every)
            step = _play(spec, learner, budget.tasks_per_step, "train")
            yield StageWork("train", name, steps * step + checks * checked)
        if is_tuned(spec, learner):
            tried = _play(spec, learner, budget.tuning_tasks, "test")
            yield StageWork("tune", name, TUNING_TRIALS * tried)
        tested = _play(spec, learner, budget.test_tasks, "test")
        yield StageWork("test", name, count_conditions(spec) * tested)
    filmed = sum(
        _play(spec.model_copy(update={"replicates": 1}), each, 1, "test")
        for each in spec.learners
    )
    yield StageWork("film", "", filmed)
    tested = spec.replicates * count_test_tasks(spec) * len(spec.learners)
    yield StageWork("other", "", CONSTANT + tested)


def _play(spec: RunSpec, learner: LearnerChoice, tasks: int, phase: Phase) -> float:
    """Return the work of each replicate's trials."""
    own = part_work("learner", learner, phase)
    world, net = part_work("family", spec.family), part_work("net", spec.net)
    size = own.size * world.size * net.size
    episodes = spec.budget.horizon
    updates = UPDATE * min(own.added, episodes) * own.passes
    # An agent that adds no updates repeats what it has played, to learn from it.
    steps = episodes * world.steps * (1.0 if own.added else own.passes) + updates
    return net.steps * steps * chunked_work(spec.replicates, tasks, CHUNK, size)


COSTS[RL.name] = CostModel(count_trials, stages)
