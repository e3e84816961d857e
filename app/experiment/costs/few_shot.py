"""Cost of few-shot runs: counted in episodes, timed by inner steps."""

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
from app.experiment.costs.knob_work import find_card, part_work
from engine.contract.kinds import FEW_SHOT
from engine.contract.run_spec import LearnerChoice, RunSpec

PROBED, PROBES = 64, 4  # episodes that are probed, and how often each is answered
CONSTANT = 5000.0  # tests that take as long as to begin and to end a run


def count_episodes(spec: RunSpec) -> float:
    """Return the approximate number of episodes of all learners and replicates."""
    budget = spec.budget
    each = budget.task_evaluations + count_test_tasks(spec)
    tuning = (
        sum(is_tuned(spec, one) for one in spec.learners)
        * TUNING_TRIALS
        * budget.tuning_tasks
    )
    return float(spec.replicates * (len(spec.learners) * each + tuning))


def stages(spec: RunSpec) -> Iterator[StageWork]:
    """Yield the stages of a batch of replicates."""
    for learner in spec.learners:
        yield from _learner_stages(spec, learner)
    shown = 1.0 + spec.budget.horizon * _count_answers(spec)
    filmed = shown * chunked_work(1, 1, 1, part_work("net", spec.net).size)
    yield StageWork("film", "", len(spec.learners) * filmed)
    tested = spec.replicates * count_test_tasks(spec) * len(spec.learners)
    yield StageWork("other", "", CONSTANT + tested)


def _learner_stages(spec: RunSpec, learner: LearnerChoice) -> Iterator[StageWork]:
    budget, name = spec.budget, learner.name
    learning, own = part_work("learner", learner), part_work("learner", learner, "test")
    answers = _count_answers(spec)
    answer = own.steps * answers
    # The tests show as many inner steps as the horizon, if the learner takes any.
    shown = max(own.steps, 1.0 + budget.horizon) if own.added else own.steps
    tested = shown * answers * _batch(spec, budget.test_tasks, own.size)
    checked = shown * answers * _batch(spec, budget.validation_tasks, own.size)
    yield StageWork("begin", name, checked)
    if is_trained(spec, learner):
        steps = budget.task_evaluations // budget.tasks_per_step
        checks = 1 + -(-steps // budget.validate_every)
        step = learning.steps * _batch(spec, budget.tasks_per_step, learning.size)
        yield StageWork("train", name, steps * step + checks * checked)
    if is_tuned(spec, learner):
        tried = answer * _batch(spec, budget.tuning_tasks, own.size)
        yield StageWork("tune", name, TUNING_TRIALS * tried)
    yield StageWork("test", name, count_conditions(spec) * tested)
    probed = PROBES * _batch(spec, min(budget.test_tasks, PROBED), own.size)
    yield StageWork("probe", name, answer * probed)


def _batch(spec: RunSpec, tasks: int, size: float) -> float:
    """Return the work of one step of all replicates' episodes."""
    net = find_card("net", spec.net.name)
    chunk = float(net.traits.get("chunk", 64)) if net else 64.0
    model, episode = part_work("net", spec.net), part_work("family", spec.family)
    sizes = model.size * episode.size * size
    work = chunked_work(spec.replicates, tasks, chunk, sizes)
    return model.steps * episode.steps * work


def _count_answers(spec: RunSpec) -> int:
    """Return how often an episode is answered: online, after each example."""
    knobs = spec.family.knobs
    return int(knobs.get("shots", 1)) if knobs.get("online") else 1


COSTS[FEW_SHOT.name] = CostModel(count_episodes, stages)
