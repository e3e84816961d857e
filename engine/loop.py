"""The one loop: tune, meta-train, validate, freeze, meta-test.

A run is a list of stages; each leaves what it found in the carry, and a
checkpoint follows it. A run that was killed goes on from any checkpoint and
gives, bit for bit, the rows of the unbroken run, because every draw is a pure
function of the seed and its place.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from engine.bench import Bench, Entrant, Trial
from engine.carry import Carry
from engine.contract.blocks import Artefact, Block, Checkpoint, Event, Note, Timing
from engine.contract.runs import RunSpec
from engine.filming import FILMS, TASKS
from engine.probing import probe, probe_tasks, probe_work
from engine.protocol import AllDiverged
from engine.refining import refine
from engine.sharing import Sharing
from engine.shelf import Shelf
from engine.showing import remember
from engine.starting import (
    THRESHOLD_TASKS,
    begin,
    check_frozen,
    fix_threshold,
    frozen,
    tune,
)
from engine.testing import meta_test
from engine.training import meta_train
from engine.tuning import RATES


@dataclass(frozen=True)
class Stage:
    """A piece of a run; `work` is its size in gradients, for the progress bar."""

    name: str
    learner: str
    work: float
    play: Callable[[Carry], Iterator[Event]]


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
    carry = Carry.resumed(resume, bench.place.device)
    stages = list(_stages(bench, shelf))
    total = sum(stage.work for stage in stages)
    before = 0.0
    for stage in stages:
        if stage.name not in carry.done:
            yield from _played(stage, carry, (before, total))
        before += stage.work
    yield from check_frozen(carry)
    yield Note("end", 1.0)
    if carry.facts.get("diverged"):
        raise AllDiverged(bench.judge.lost)


def _played(stage: Stage, carry: Carry, at: tuple[float, float]) -> Iterator[Event]:
    """Play one stage, its notes rescaled to the whole run."""
    before, total = at
    yield Note(stage.name, before / total)
    clock = time.perf_counter()
    for event in stage.play(carry):
        if isinstance(event, Note):
            event = replace(event, done=(before + stage.work * event.done) / total)
        yield event
    yield Timing(stage.learner, stage.name, time.perf_counter() - clock)
    carry.done.append(stage.name)
    yield carry.checkpoint()


def _stages(bench: Bench, shelf: Shelf) -> Iterator[Stage]:
    """List the work: what must be there before, then training, then the tests."""
    budget, spec, late = bench.spec.budget, bench.spec, bench.judge.tuned_last
    testing, sharing = budget.test_tasks > 0, Sharing(bench, shelf)
    for entrant in bench.entrants:
        label, first = entrant.label, entrant.tuned and not late
        work = _look(bench, entrant) + first * _tuning(bench, entrant)
        play = partial(begin, bench, entrant, shelf)
        if first and not testing:
            play = partial(tune, bench, entrant)
        yield Stage(f"begin {label}", label, work, sharing.begin(entrant, play))
    if testing and bench.judge.threshold:
        work = float(THRESHOLD_TASKS * budget.horizon)
        yield Stage("threshold", "", work, partial(fix_threshold, bench, shelf))
    for entrant in bench.entrants:
        label, refined = entrant.label, entrant.tuned and late
        if label in spec.inputs:
            continue
        if entrant.learner.trains:
            work = _training(bench, entrant)
            play = sharing.work(
                entrant, partial(_train, bench, entrant), last=not refined
            )
            yield Stage(f"train {label}", label, work, play)
        if refined:
            play = sharing.work(entrant, partial(refine, bench, entrant), last=True)
            yield Stage(f"tune {label}", label, _tuning(bench, entrant), play)
    if testing:
        yield from _test_stages(bench)


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
    for trial in trials:
        stretched = trial.setting.horizon / spec.budget.horizon
        work = spec.replicates * spec.budget.test_tasks * each * stretched
        yield Stage(f"test {trial.title}", "", work, partial(_test, bench, trial))
        if trial.in_place and bench.judge.probes:
            yield from _probe_stages(bench)
    if remarks:
        filed = Artefact("remarks", "remarks", {}, remarks)
        yield Stage("remarks", "", 0.0, lambda carry: iter([filed]))
    for name, trial in _filmed(bench, trials):
        play = FILMS[bench.setting.family.kind].play
        yield Stage(name, "", TASKS * each, partial(play, bench, trial, name))


def _probe_stages(bench: Bench) -> Iterator[Stage]:
    """Look at the episodes, and ask each learner some of them again, changed."""
    yield Stage("probe", "", 1.0, partial(probe_tasks, bench))
    for entrant in bench.entrants:
        play = partial(probe, bench, entrant)
        work = probe_work(bench, entrant.learner)
        yield Stage(f"probe {entrant.label}", entrant.label, work, play)


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
    if bench.judge.tuned_last and entrant.tuned:
        return  # it is frozen once its rate is chosen, too
    yield frozen(bench, entrant, carry.metas[entrant.label], carry)


def _test(bench: Bench, trial: Trial, carry: Carry) -> Iterator[Event]:
    """Test on one condition; note if the chosen learner lost every member."""
    chosen = {e.label for e in bench.entrants if e.choice.role == "chosen"}
    for event in meta_test(bench, trial, carry):
        remember(bench, trial, event, carry)
        yield event
        judged = isinstance(event, Block) and event.metric == "diverged"
        if judged and trial.in_place and event.learner in chosen and event.array.all():
            carry.facts["diverged"] = 1.0
