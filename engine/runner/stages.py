"""The stages of a batch: tune, meta-train, validate, freeze, meta-test.

A batch is a list of stages. Each leaves its results in the batch's state, and a
checkpoint follows it. A batch that was killed resumes from any checkpoint and gives,
bit for bit, the results of an uninterrupted one, because every draw is a pure function
of the seed and its path.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from engine.contract.events import (
    Artefact,
    Checkpoint,
    Event,
    Note,
    Timing,
)
from engine.contract.run_spec import RunSpec
from engine.runner.adaptation_tuning import tune_after_training
from engine.runner.baseline_cache import BaselineCache
from engine.runner.context import LearnerEntry, MetaTestCondition, RunContext
from engine.runner.deduplication import (
    group_equal_conditions,
    repeat_for_conditions,
    repeat_for_labels,
)
from engine.runner.films import FILM_RECORDERS
from engine.runner.films.optimization import TASKS
from engine.runner.frozen_learners import check_frozen, freeze_learner
from engine.runner.initial_meta_weights import (
    THRESHOLD_TASKS,
    fix_threshold,
    initialize_learner,
    tune_baseline,
)
from engine.runner.kind_probes import PROBES
from engine.runner.meta_test import meta_test
from engine.runner.meta_training import meta_train
from engine.runner.old_checkpoints import is_old_checkpoint, read_old_checkpoint
from engine.runner.residual_variance import fix_residual_variance
from engine.runner.results_of_other_runs import RunCache
from engine.runner.spec_checks import check_run
from engine.runner.stage_costs import training_cost, tuning_cost, validation_cost
from engine.runner.state import RunState, StageKey


@dataclass(frozen=True)
class Stage:
    """A stage of a batch.

    Args:
        covers: Its key, and those of equal learners or conditions.
        cost: Its size in gradient evaluations, for the progress bar.
        play: Executes it; yields events and changes the batch's state.
    """

    covers: tuple[StageKey, ...]
    cost: float
    play: Callable[[RunState], Iterator[Event]]

    @property
    def name(self) -> str:
        """Return its name on the progress bar."""
        return self.covers[0].title


def compute_batch(
    spec: RunSpec,
    cache: RunCache,
    resume: Checkpoint | None = None,
    *,
    first: bool = True,
) -> Iterator[Event]:
    """Compute a batch of replicates: the whole pipeline, as if it were a run.

    Args:
        spec: Of the batch; completed by `complete_spec`.
        cache: Holds tuned baselines and frozen meta-learners.
        resume: A checkpoint of this very batch to resume from.
        first: Whether it is its run's first batch, which also records films and probes
            the tasks.

    Yields:
        Blocks, artefacts, notes, timings and checkpoints. Closing the generator
        ends the batch; what it yielded stays valid.

    Raises:
        Refused: If the parts do not fit together.
    """
    context = RunContext(spec)
    check_run(context)
    state = _initial_state(context, cache, resume)
    stages = list(list_stages(context, cache, first=first))
    total = sum(stage.cost for stage in stages)
    before = 0.0
    for stage in stages:
        if not set(stage.covers) <= set(state.done):
            yield from _play_stage(context, stage, state, (before, total))
        before += stage.cost
    yield from repeat_for_labels(context, check_frozen(state))


def _initial_state(
    context: RunContext, cache: RunCache, resume: Checkpoint | None
) -> RunState:
    """Return the state of a checkpoint, or an empty one."""
    if resume is None:
        return RunState()
    if is_old_checkpoint(resume):
        stages = list_stages(context, cache, first=True)
        keys = [key for stage in stages for key in stage.covers]
        return read_old_checkpoint(resume, keys, context)
    return RunState.from_checkpoint(resume, context.batch_spec.device)


def _play_stage(
    context: RunContext, stage: Stage, state: RunState, at: tuple[float, float]
) -> Iterator[Event]:
    """Execute one stage, with its progress rescaled to the whole batch."""
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


def list_stages(
    context: RunContext, cache: RunCache, *, first: bool
) -> Iterator[Stage]:
    """Yield the stages in order: initialization, training, then the meta-test.

    Args:
        context: A batch of replicates.
        cache: Holds tuned baselines and frozen meta-learners.
        first: Whether it is its run's first batch, which also records films and probes
            the tasks.
    """
    budget, spec = context.spec.budget, context.spec
    testing, baselines = budget.test_tasks > 0, BaselineCache(context, cache)
    for entry in context.entries:
        tunes = context.tunes_first(entry)
        work = validation_cost(context, entry) + tunes * tuning_cost(context, entry)
        play = partial(initialize_learner, context, entry, cache)
        if tunes and not testing:  # the tuning sub-run itself
            play = partial(tune_baseline, context, entry)
        play = baselines.first_stage(entry, play)
        yield Stage(_stage_keys("begin", entry), work, play)
    if testing and context.kind.threshold:
        work = float(THRESHOLD_TASKS * budget.horizon)
        fix = partial(fix_threshold, context, cache)
        yield Stage((StageKey("threshold"),), work, fix)
    for entry in context.entries:
        tuned = context.tunes_last(entry)
        if entry.label in spec.inputs:
            continue
        if entry.learner.trains:
            play = partial(_train_and_freeze, context, entry)
            play = baselines.later_stage(entry, play, last=not tuned)
            yield Stage(
                _stage_keys("train", entry), training_cost(context, entry), play
            )
        if tuned:
            play = partial(tune_after_training, context, entry)
            play = baselines.later_stage(entry, play, last=True)
            yield Stage(_stage_keys("tune", entry), tuning_cost(context, entry), play)
    if testing:
        yield from _test_stages(context, first=first)


def _stage_keys(sort: str, entry: LearnerEntry) -> tuple[StageKey, ...]:
    return tuple(StageKey(sort, label) for label in entry.labels)


def _test_stages(context: RunContext, *, first: bool) -> Iterator[Stage]:
    spec = context.spec
    conditions, remarks = context.test_conditions()
    each = sum(
        e.learner.gradients_per_test(spec.budget.horizon) for e in context.entries
    )
    for same in group_equal_conditions(conditions):
        longer = same[0].setting.horizon / spec.budget.horizon  # a shift may extend it
        work = spec.replicates * spec.budget.test_tasks * each * longer
        keys = tuple(StageKey("test", condition=one.condition) for one in same)
        yield Stage(keys, work, partial(_test_learners, context, same))
        if first and same[0].is_in_distribution:
            yield from _probe_stages(context)
    if remarks:
        listed = Artefact("remarks", "remarks", {}, remarks)
        yield Stage((StageKey("remarks"),), 0.0, lambda state: iter([listed]))
    for name, condition in _film_conditions(context, conditions) if first else ():
        play = FILM_RECORDERS[context.kind.name].record
        work = float(TASKS * each)
        yield Stage((StageKey(name),), work, partial(play, context, condition, name))


def _probe_stages(context: RunContext) -> Iterator[Stage]:
    """Yield the stages that probe the test tasks, then each learner on them."""
    probes = PROBES.get(context.kind.name)
    if probes is None:
        return
    if probes.probe_tasks:
        play = partial(probes.probe_tasks, context)
        yield Stage((StageKey("probe"),), 1.0, play)
    for entry in context.entries:
        play = partial(probes.probe_learner, context, entry)
        work = probes.cost(context, entry.learner)
        yield Stage(_stage_keys("probe", entry), work, play)


def _film_conditions(
    context: RunContext, conditions: list[MetaTestCondition]
) -> Iterator[tuple[str, MetaTestCondition]]:
    """Yield what to film: in distribution, and the first shift's highest severity."""
    family = context.setting.family
    if not FILM_RECORDERS[family.kind].can_film(family):
        return
    yield "film", conditions[0]
    shifted = [one for one in conditions if one.condition.shift]
    same = [s for s in shifted if s.condition.shift == shifted[0].condition.shift]
    if same:
        yield "film-shifted", max(same, key=lambda one: one.condition.severity)


def _train_and_freeze(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    yield from meta_train(context, entry, state)
    if context.tunes_last(entry):
        return  # it is frozen after its rate is tuned
    yield from fix_residual_variance(context, entry, state)
    yield freeze_learner(context, entry, state.metas[entry.label], state)


def _test_learners(
    context: RunContext, same: Sequence[MetaTestCondition], state: RunState
) -> Iterator[Event]:
    """Test every learner on equal conditions."""
    remember = FILM_RECORDERS[context.kind.name].remember
    for event in repeat_for_conditions(same, meta_test(context, same[0], state)):
        remember(context, event, state)
        yield event
