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

from engine.contract.blocks import (
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
from engine.runner.altered_episodes import probe, probe_tasks, probe_work
from engine.runner.baseline_cache import BaselineCache
from engine.runner.context import Bench, Entrant, Trial, labels_of
from engine.runner.equal_learners import (
    equal_trials,
    under_each_condition,
    under_each_label,
)
from engine.runner.films import FILMS
from engine.runner.films.optimization import TASKS
from engine.runner.frozen_learners import check_frozen, frozen
from engine.runner.initialization import THRESHOLD_TASKS, begin, fix_threshold, tune
from engine.runner.meta_test import meta_test
from engine.runner.meta_training import meta_train
from engine.runner.old_checkpoints import read_old, written_before_formats
from engine.runner.post_tuning import refine
from engine.runner.rate_search import RATES
from engine.runner.run_cache import Shelf
from engine.runner.state import Carry, StageKey


@dataclass(frozen=True)
class Stage:
    """A piece of a run.

    Args:
        covers: What it is, and for which equal learners or conditions.
        work: Its size in gradients, for the progress bar.
        play: Does it.
    """

    covers: tuple[StageKey, ...]
    work: float
    play: Callable[[Carry], Iterator[Event]]

    @property
    def name(self) -> str:
        """Return what it is called while it is played."""
        return self.covers[0].title


def run(
    spec: RunSpec, shelf: Shelf, resume: Checkpoint | None = None
) -> Iterator[Event]:
    """Play a completed spec.

    Args:
        spec: Completed by `complete_spec`.
        shelf: Where tuned baselines and frozen meta-learners are kept.
        resume: A checkpoint of this very run, to go on from.

    Yields:
        Blocks, artefacts, notes, timings and checkpoints. Closing the generator
        ends the run; what it yielded stays readable.

    Raises:
        Refused: If the parts cannot be run together.
        AllDiverged: At the end, if no member of the chosen learner stayed finite.
    """
    bench = Bench(spec)
    bench.check()
    stages = list(_stages(bench, shelf))
    carry = _carry(bench, stages, resume)
    total = sum(stage.work for stage in stages)
    before = 0.0
    for stage in stages:
        if not set(stage.covers) <= set(carry.done):
            yield from _played(bench, stage, carry, (before, total))
        before += stage.work
    yield from under_each_label(bench, check_frozen(carry))
    yield Note("end", 1.0)
    if carry.diverged:
        raise AllDiverged(bench.kind.words.all_diverged)


def _carry(bench: Bench, stages: list[Stage], resume: Checkpoint | None) -> Carry:
    """Return where to go on: at a checkpoint, or at the beginning."""
    if resume is None:
        return Carry()
    if written_before_formats(resume):
        keys = [key for stage in stages for key in stage.covers]
        return read_old(resume, keys, bench)
    return Carry.resumed(resume, bench.place.device)


def _played(
    bench: Bench, stage: Stage, carry: Carry, at: tuple[float, float]
) -> Iterator[Event]:
    """Play one stage, its notes rescaled to the whole run."""
    before, total = at
    yield Note(stage.name, before / total)
    clock = time.perf_counter()
    for event in under_each_label(bench, stage.play(carry)):
        if isinstance(event, Note):
            event = replace(event, done=(before + stage.work * event.done) / total)
        yield event
    taken = time.perf_counter() - clock
    yield from (Timing(key.learner, key.title, taken) for key in stage.covers)
    carry.done.extend(stage.covers)
    yield carry.checkpoint()


def _stages(bench: Bench, shelf: Shelf) -> Iterator[Stage]:
    """List the work: what must be there before, then training, then the tests."""
    budget, spec = bench.spec.budget, bench.spec
    testing, baselines = budget.test_tasks > 0, BaselineCache(bench, shelf)
    for entrant in bench.entrants:
        first = bench.tunes_first(entrant)
        work = _look(bench, entrant) + first * _tuning(bench, entrant)
        play = partial(begin, bench, entrant, shelf)
        if first and not testing:
            play = partial(tune, bench, entrant)
        play = baselines.first_stage(entrant, play)
        yield Stage(_keys("begin", entrant), work, play)
    if testing and bench.kind.threshold:
        work = float(THRESHOLD_TASKS * budget.horizon)
        fix = partial(fix_threshold, bench, shelf)
        yield Stage((StageKey("threshold"),), work, fix)
    for entrant in bench.entrants:
        refined = bench.tunes_last(entrant)
        if entrant.label in spec.inputs:
            continue
        if entrant.learner.trains:
            play = partial(_train, bench, entrant)
            play = baselines.later_stage(entrant, play, last=not refined)
            yield Stage(_keys("train", entrant), _training(bench, entrant), play)
        if refined:
            play = partial(refine, bench, entrant)
            play = baselines.later_stage(entrant, play, last=True)
            yield Stage(_keys("tune", entrant), _tuning(bench, entrant), play)
    if testing:
        yield from _test_stages(bench)


def _keys(sort: str, entrant: Entrant) -> tuple[StageKey, ...]:
    return tuple(StageKey(sort, label) for label in entrant.labels)


def _look(bench: Bench, entrant: Entrant) -> float:
    """Return how many gradients a validation takes."""
    each = entrant.learner.effort(bench.spec.budget.horizon)
    return bench.spec.replicates * bench.spec.budget.validation_tasks * each


def _tuning(bench: Bench, entrant: Entrant) -> float:
    """Return about how many gradients it takes to choose a rate."""
    budget = bench.spec.budget
    return RATES * budget.tuning_tasks * entrant.learner.effort(budget.horizon)


def _training(bench: Bench, entrant: Entrant) -> float:
    """Return how many gradients meta-training takes, its validations among them."""
    budget = bench.spec.budget
    plan = entrant.learner.plan(budget, bench.estimator)
    lessons = plan.steps * plan.tasks_per_step * plan.gradients
    looks = 1 + plan.steps // budget.validate_every
    return bench.spec.replicates * lessons + looks * _look(bench, entrant)


def _test_stages(bench: Bench) -> Iterator[Stage]:
    spec = bench.spec
    trials, remarks = bench.trials()
    each = sum(e.learner.effort(spec.budget.horizon) for e in bench.entrants)
    for same in equal_trials(trials):
        stretched = same[0].setting.horizon / spec.budget.horizon
        work = spec.replicates * spec.budget.test_tasks * each * stretched
        keys = tuple(StageKey("test", condition=one.condition) for one in same)
        yield Stage(keys, work, partial(_test, bench, same))
        if same[0].in_place and bench.kind.probes:
            yield from _probe_stages(bench)
    if remarks:
        filed = Artefact("remarks", "remarks", {}, remarks)
        yield Stage((StageKey("remarks"),), 0.0, lambda carry: iter([filed]))
    for name, trial in _filmed(bench, trials):
        play = FILMS[bench.kind.name].play
        work = float(TASKS * each)
        yield Stage((StageKey(name),), work, partial(play, bench, trial, name))


def _probe_stages(bench: Bench) -> Iterator[Stage]:
    """Look at the episodes, and ask each learner some of them again, changed."""
    yield Stage((StageKey("probe"),), 1.0, partial(probe_tasks, bench))
    for entrant in bench.entrants:
        play = partial(probe, bench, entrant)
        work = probe_work(bench, entrant.learner)
        yield Stage(_keys("probe", entrant), work, play)


def _filmed(bench: Bench, trials: list[Trial]) -> Iterator[tuple[str, Trial]]:
    """Choose what is filmed: in place, and the first shift at its worst."""
    family = bench.setting.family
    if not FILMS[family.kind].fits(family):
        return
    yield "film", trials[0]
    shifts = [t for t in trials if t.condition.shift]
    same = [t for t in shifts if t.condition.shift == shifts[0].condition.shift]
    if same:
        yield "film-shifted", max(same, key=lambda trial: trial.condition.severity)


def _train(bench: Bench, entrant: Entrant, carry: Carry) -> Iterator[Event]:
    yield from meta_train(bench, entrant, carry)
    if bench.tunes_last(entrant):
        return  # it is frozen once its rate is chosen, too
    yield frozen(bench, entrant, carry.metas[entrant.label], carry)


def _test(bench: Bench, same: Sequence[Trial], carry: Carry) -> Iterator[Event]:
    """Test on equal conditions; note if a chosen learner lost every member."""
    chosen = {c.label for c in bench.spec.learners if c.role == "chosen"}
    remember = FILMS[bench.kind.name].remember
    for event in under_each_condition(same, meta_test(bench, same[0], carry)):
        remember(bench, event, carry)
        yield event
        if isinstance(event, Block) and event.metric == "diverged":
            judged = event.condition == Condition() and event.array.all()
            carry.diverged |= bool(
                judged and chosen & {*labels_of(bench, event.learner)}
            )
