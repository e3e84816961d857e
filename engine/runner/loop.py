"""The one loop: tune, meta-train, validate, freeze, meta-test.

A run is a list of stages; each leaves what it found in the carry, and a
checkpoint follows it. A run that was killed goes on from any checkpoint and
gives, bit for bit, the rows of the unbroken run, because every draw is a pure
function of the seed and its place.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from engine.contract.events import (
    Artefact,
    Block,
    Checkpoint,
    Condition,
    Event,
    Note,
    Timing,
)
from engine.contract.runs import RunSpec
from engine.protocol import AllDiverged
from engine.runner.adaptation_tuning import tune_after_training
from engine.runner.baseline_cache import BaselineCache
from engine.runner.context import LearnerEntry, MetaTestCondition, RunContext, labels_of
from engine.runner.deduplication import (
    group_equal_conditions,
    repeat_for_conditions,
    repeat_for_labels,
)
from engine.runner.episode_probes import probe_cost, probe_learner, probe_tasks
from engine.runner.films import FILM_RECORDERS
from engine.runner.films.optimization import TASKS
from engine.runner.frozen_learners import check_frozen, freeze_learner
from engine.runner.initialization import (
    THRESHOLD_TASKS,
    fix_threshold,
    initialize_learner,
    tune_baseline,
)
from engine.runner.meta_test import meta_test
from engine.runner.meta_training import meta_train
from engine.runner.old_checkpoints import is_old_checkpoint, read_old_checkpoint
from engine.runner.rate_search import RATES
from engine.runner.run_cache import RunCache
from engine.runner.state import RunState, StageKey


@dataclass(frozen=True)
class Stage:
    """A piece of a run.

    Args:
        covers: What it is, and for which equal learners or conditions.
        work: Its size in gradients, for the progress bar.
        play: Does it.
    """

    covers: tuple[StageKey, ...]
    cost: float
    play: Callable[[RunState], Iterator[Event]]

    @property
    def name(self) -> str:
        """Return what it is called while it is played."""
        return self.covers[0].title


def run(
    spec: RunSpec, cache: RunCache, resume: Checkpoint | None = None
) -> Iterator[Event]:
    """Play a completed spec.

    Args:
        spec: Completed by `complete_spec`.
        cache: Where tuned baselines and frozen meta-learners are kept.
        resume: A checkpoint of this very run, to go on from.

    Yields:
        Blocks, artefacts, notes, timings and checkpoints. Closing the generator
        ends the run; what it yielded stays readable.

    Raises:
        Refused: If the parts cannot be run together.
        AllDiverged: At the end, if no member of the chosen learner stayed finite.
    """
    context = RunContext(spec)
    context.check()
    stages = list(_stages(context, cache))
    state = _initial_state(context, stages, resume)
    total = sum(stage.cost for stage in stages)
    before = 0.0
    for stage in stages:
        if not set(stage.covers) <= set(state.done):
            yield from _play_stage(context, stage, state, (before, total))
        before += stage.cost
    yield from repeat_for_labels(context, check_frozen(state))
    yield Note("end", 1.0)
    if state.diverged:
        raise AllDiverged(context.kind.words.all_diverged)


def _initial_state(
    context: RunContext, stages: list[Stage], resume: Checkpoint | None
) -> RunState:
    """Return where to go on: at a checkpoint, or at the beginning."""
    if resume is None:
        return RunState()
    if is_old_checkpoint(resume):
        keys = [key for stage in stages for key in stage.covers]
        return read_old_checkpoint(resume, keys, context)
    return RunState.from_checkpoint(resume, context.batch_spec.device)


def _play_stage(
    context: RunContext, stage: Stage, state: RunState, at: tuple[float, float]
) -> Iterator[Event]:
    """Play one stage, its notes rescaled to the whole run."""
    before, total = at
    yield Note(stage.name, before / total)
    clock = time.perf_counter()
    for event in repeat_for_labels(context, stage.play(state)):
        if isinstance(event, Note):
            event = replace(event, done=(before + stage.cost * event.done) / total)
        yield event
    taken = time.perf_counter() - clock
    yield from (Timing(key.learner, key.title, taken) for key in stage.covers)
    state.done.extend(stage.covers)
    yield state.checkpoint()


def _stages(context: RunContext, cache: RunCache) -> Iterator[Stage]:
    """List the work: what must be there before, then training, then the tests."""
    budget, spec = context.spec.budget, context.spec
    testing, baselines = budget.test_tasks > 0, BaselineCache(context, cache)
    for entry in context.entries:
        first = context.tunes_first(entry)
        work = _validation_cost(context, entry) + first * _tuning_cost(context, entry)
        play = partial(initialize_learner, context, entry, cache)
        if first and not testing:
            play = partial(tune_baseline, context, entry)
        play = baselines.first_stage(entry, play)
        yield Stage(_stage_keys("begin", entry), work, play)
    if testing and context.kind.threshold:
        work = float(THRESHOLD_TASKS * budget.horizon)
        fix = partial(fix_threshold, context, cache)
        yield Stage((StageKey("threshold"),), work, fix)
    for entry in context.entries:
        refined = context.tunes_last(entry)
        if entry.label in spec.inputs:
            continue
        if entry.learner.trains:
            play = partial(_train_and_freeze, context, entry)
            play = baselines.later_stage(entry, play, last=not refined)
            yield Stage(
                _stage_keys("train", entry), _training_cost(context, entry), play
            )
        if refined:
            play = partial(tune_after_training, context, entry)
            play = baselines.later_stage(entry, play, last=True)
            yield Stage(_stage_keys("tune", entry), _tuning_cost(context, entry), play)
    if testing:
        yield from _test_stages(context)


def _stage_keys(sort: str, entry: LearnerEntry) -> tuple[StageKey, ...]:
    return tuple(StageKey(sort, label) for label in entry.labels)


def _validation_cost(context: RunContext, entry: LearnerEntry) -> float:
    """Return how many gradients a validation takes."""
    each = entry.learner.gradients_per_test(context.spec.budget.horizon)
    return context.spec.replicates * context.spec.budget.validation_tasks * each


def _tuning_cost(context: RunContext, entry: LearnerEntry) -> float:
    """Return about how many gradients it takes to choose a rate."""
    budget = context.spec.budget
    return (
        RATES * budget.tuning_tasks * entry.learner.gradients_per_test(budget.horizon)
    )


def _training_cost(context: RunContext, entry: LearnerEntry) -> float:
    """Return how many gradients meta-training takes, its validations among them."""
    budget = context.spec.budget
    plan = entry.learner.plan(budget, context.estimator)
    lessons = plan.steps * plan.tasks_per_step * plan.gradients
    looks = 1 + plan.steps // budget.validate_every
    return context.spec.replicates * lessons + looks * _validation_cost(context, entry)


def _test_stages(context: RunContext) -> Iterator[Stage]:
    spec = context.spec
    trials, remarks = context.test_conditions()
    each = sum(
        e.learner.gradients_per_test(spec.budget.horizon) for e in context.entries
    )
    for same in group_equal_conditions(trials):
        stretched = same[0].setting.horizon / spec.budget.horizon
        work = spec.replicates * spec.budget.test_tasks * each * stretched
        keys = tuple(StageKey("test", condition=one.condition) for one in same)
        yield Stage(keys, work, partial(_test_learners, context, same))
        if same[0].is_in_distribution and context.kind.probes:
            yield from _probe_stages(context)
    if remarks:
        filed = Artefact("remarks", "remarks", {}, remarks)
        yield Stage((StageKey("remarks"),), 0.0, lambda carry: iter([filed]))
    for name, condition in _film_conditions(context, trials):
        play = FILM_RECORDERS[context.kind.name].record
        work = float(TASKS * each)
        yield Stage((StageKey(name),), work, partial(play, context, condition, name))


def _probe_stages(context: RunContext) -> Iterator[Stage]:
    """Look at the episodes, and ask each learner some of them again, changed."""
    yield Stage((StageKey("probe"),), 1.0, partial(probe_tasks, context))
    for entry in context.entries:
        play = partial(probe_learner, context, entry)
        work = probe_cost(context, entry.learner)
        yield Stage(_stage_keys("probe", entry), work, play)


def _film_conditions(
    context: RunContext, trials: list[MetaTestCondition]
) -> Iterator[tuple[str, MetaTestCondition]]:
    """Choose what is filmed: in distribution, and the first shift at its worst."""
    family = context.setting.family
    if not FILM_RECORDERS[family.kind].can_film(family):
        return
    yield "film", trials[0]
    shifts = [t for t in trials if t.condition.shift]
    same = [t for t in shifts if t.condition.shift == shifts[0].condition.shift]
    if same:
        yield "film-shifted", max(same, key=lambda trial: trial.condition.severity)


def _train_and_freeze(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    yield from meta_train(context, entry, state)
    if context.tunes_last(entry):
        return  # it is frozen once its rate is chosen, too
    yield freeze_learner(context, entry, state.metas[entry.label], state)


def _test_learners(
    context: RunContext, same: Sequence[MetaTestCondition], state: RunState
) -> Iterator[Event]:
    """Test on equal conditions; note if a chosen learner lost every member."""
    chosen = {c.label for c in context.spec.learners if c.role == "chosen"}
    remember = FILM_RECORDERS[context.kind.name].remember
    for event in repeat_for_conditions(same, meta_test(context, same[0], state)):
        remember(context, event, state)
        yield event
        if isinstance(event, Block) and event.metric == "diverged":
            judged = event.condition == Condition() and event.array.all()
            state.diverged |= bool(
                judged and chosen & {*labels_of(context, event.learner)}
            )
