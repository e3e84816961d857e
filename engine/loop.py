"""The one loop: tune, meta-train, validate, freeze, meta-test.

A run is a list of stages; each leaves what it found in the carry, and a
checkpoint follows it. A run that was killed goes on from any checkpoint and
gives, bit for bit, the rows of the unbroken run, because every draw is a pure
function of the seed and its place.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.bench import Bench, Entrant, Trial, draw_tasks, resolve
from engine.carry import Carry, digest, plain
from engine.catalogue import cards
from engine.contract.blocks import Artefact, Block, Checkpoint, Event, Note, Timing
from engine.contract.cards import complete
from engine.contract.errors import Refused
from engine.contract.runs import LearnerChoice, RunSpec, run_key
from engine.protocol import AllDiverged, Learner, Place, Weights
from engine.shelf import Shelf
from engine.testing import film, meta_test
from engine.training import follow_all, meta_train, validation_tasks, view
from engine.tuning import RATES, search, tuning_spec

# The threshold is fixed by what tuned SGD reaches on validation tasks.
REFERENCE = LearnerChoice(name="sgd", role="baseline", knobs={"tuning": "tuned"})
THRESHOLD_TASKS, THRESHOLD_SHARE = 64, 0.9


@dataclass(frozen=True)
class Stage:
    """A piece of a run.

    `work` is its size in gradient evaluations, for the progress bar.
    """

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
    _check_frozen(carry)
    yield Note("end", 1.0)
    if carry.facts.get("diverged"):
        raise AllDiverged("no run of the chosen learner stayed finite; lower its rate")


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
    budget, spec = bench.spec.budget, bench.spec
    tuning = float(RATES * budget.tuning_tasks * budget.horizon)
    if not budget.test_tasks and all(entrant.tuned for entrant in bench.entrants):
        for entrant in bench.entrants:
            yield Stage(
                f"tune {entrant.label}", entrant.label, tuning, _search(bench, entrant)
            )
        return
    look = float(spec.replicates * budget.validation_tasks * budget.horizon)
    for entrant in bench.entrants:
        yield Stage(
            f"begin {entrant.label}", entrant.label, look, _begin(bench, entrant, shelf)
        )
    if budget.test_tasks:
        yield Stage("threshold", "", look, _threshold(bench, shelf))
    for entrant in bench.entrants:
        if entrant.learner.trains and entrant.label not in spec.inputs:
            work = float(budget.task_evaluations * budget.horizon * spec.replicates)
            train = _training(bench, entrant)
            yield Stage(f"train {entrant.label}", entrant.label, work, train)
    if budget.test_tasks:
        yield from _test_stages(bench)


def _test_stages(bench: Bench) -> Iterator[Stage]:
    spec, budget = bench.spec, bench.spec.budget
    trials, remarks = bench.trials()
    each = float(len(spec.learners) * spec.replicates * budget.test_tasks)
    for trial in trials:
        where = trial.condition
        name = f"test {where.family}{where.shift} {where.severity:g}"
        work = each * trial.setting.horizon
        yield Stage(name, "", work, _testing(bench, trial))
    if remarks:
        yield Stage("remarks", "", 0.0, lambda carry: iter([_remarks(remarks)]))
    for name, trial in _filmed(bench, trials):
        yield Stage(name, "", each * 2, _filming(bench, trial, name))


def _filmed(bench: Bench, trials: list[Trial]) -> Iterator[tuple[str, Trial]]:
    """Choose what is filmed: in place, and the first shift at its worst."""
    if not bench.setting.family.plane:
        return
    yield "film", trials[0]
    shifted = [trial for trial in trials if trial.condition.shift]
    if shifted:
        first = shifted[0].condition.shift
        same = [trial for trial in shifted if trial.condition.shift == first]
        yield "film-shifted", max(same, key=lambda trial: trial.condition.severity)


def _search(bench: Bench, entrant: Entrant) -> Callable[[Carry], Iterator[Event]]:
    def play(carry: Carry) -> Iterator[Event]:
        for event in search(bench, entrant):
            if isinstance(event, dict):
                carry.metas[entrant.label] = event
                yield _frozen(bench, entrant, event, carry)
            else:
                yield event

    return play


def _begin(
    bench: Bench, entrant: Entrant, shelf: Shelf
) -> Callable[[Carry], Iterator[Event]]:
    """Give a learner its meta-weights: carried over, tuned, or its own start."""

    def play(carry: Carry) -> Iterator[Event]:
        tasks = validation_tasks(bench)
        label = entrant.label
        if label in bench.spec.inputs:
            given = bench.spec.inputs[label]
            arrays = shelf.frozen(given.run, given.artefact).arrays
            weights = _adopted(bench, entrant, arrays)
        elif entrant.tuned:
            weights = yield from _tuned(bench, entrant.choice, shelf)
        else:
            weights = entrant.learner.init(bench.streams("init"), tasks).weights
        carry.metas[label] = weights
        if entrant.tuned or label in bench.spec.inputs:
            yield _frozen(bench, entrant, weights, carry)
        yield from view(
            label, follow_all(entrant.learner, weights, tasks), bench.spec.replicates
        )

    return play


def _adopted(bench: Bench, entrant: Entrant, arrays: dict[str, np.ndarray]) -> Weights:
    """Return carried-over meta-weights; replicates repeat where there are fewer.

    Raises:
        Refused: If the artefact does not fit this learner.
    """
    start = entrant.learner.init(bench.streams("init"), validation_tasks(bench)).weights
    adopted = {}
    for name, tensor in start.items():
        array = arrays.get(name)
        if array is None or array.shape[1:] != tuple(tensor.shape[1:]):
            raise Refused(
                f"the frozen artefact does not fit {entrant.label}: {name} differs; "
                "use the same knobs as the run that made it",
                f"inputs.{entrant.label}",
            )
        rows = np.resize(array, (tensor.shape[0], *array.shape[1:]))
        adopted[name] = torch.from_numpy(rows).to(tensor)
    return adopted


def _tuned(bench: Bench, choice: LearnerChoice, shelf: Shelf) -> Iterator[Event]:
    """Play or fetch the sub-run that tunes a baseline; return its rate."""
    sub = tuning_spec(bench.spec, choice)
    key = run_key(sub, cards)
    events = shelf.get(key)
    if events is None:
        events = []
        for event in run(sub, shelf):
            if isinstance(event, Note):
                yield event
            elif not isinstance(event, Checkpoint):
                events.append(event)
        shelf.put(key, sub, events)
    rate: Weights = {}
    for event in events:
        if isinstance(event, Block):
            yield replace(event, learner=choice.label)
        if isinstance(event, Artefact):
            rate = {
                "lr": torch.from_numpy(np.array(event.arrays["lr"])).to(
                    bench.place.device
                )
            }
    return rate


def _threshold(bench: Bench, shelf: Shelf) -> Callable[[Carry], Iterator[Event]]:
    """Fix the level that counts as solved, before any test."""

    def play(carry: Carry) -> Iterator[Event]:
        level = bench.spec.budget.threshold
        if not level:
            knobs = complete(cards("learner", REFERENCE.name), REFERENCE.knobs)
            choice = REFERENCE.model_copy(update={"knobs": knobs, "label": "sgd"})
            weights = yield from _quiet(_tuned(bench, choice, shelf))
            place = Place(1, bench.place.device, held=False)
            streams = [bench.rng.child("threshold")]
            tasks = draw_tasks(
                bench.setting, "validation", streams, THRESHOLD_TASKS, place
            )
            traces = follow_all(resolve("learner", choice, Learner), weights, tasks)
            level = _level(traces["loss"].cpu().numpy())
        carry.facts["threshold"] = level
        yield Block("", "validate", "threshold", (), np.array(level))

    return play


def _quiet(events: Iterator[Event]) -> Iterator[Event]:
    """Pass notes on, keep blocks back, and hand the result through."""
    while True:
        try:
            event = next(events)
        except StopIteration as stop:
            return stop.value
        if isinstance(event, Note):
            yield event


def _level(loss: np.ndarray) -> float:
    """Return the loss at 90 % of the median improvement of tuned SGD."""
    first, last = np.nanmedian(loss[:, 0]), np.nanmedian(loss[:, -1])
    return float(first - THRESHOLD_SHARE * (first - last))


def _training(bench: Bench, entrant: Entrant) -> Callable[[Carry], Iterator[Event]]:
    def play(carry: Carry) -> Iterator[Event]:
        yield from meta_train(bench, entrant, carry)
        yield _frozen(bench, entrant, carry.metas[entrant.label], carry)

    return play


def _testing(bench: Bench, trial: Trial) -> Callable[[Carry], Iterator[Event]]:
    chosen = {e.label for e in bench.entrants if e.choice.role == "chosen"}
    in_place = trial.condition.shift == trial.condition.family == ""

    def play(carry: Carry) -> Iterator[Event]:
        for event in meta_test(bench, trial, carry):
            yield event
            if isinstance(event, Block) and event.metric == "diverged" and in_place:
                gone = event.learner in chosen and bool(event.array.all())
                carry.facts["diverged"] = carry.facts.get("diverged", 0) or float(gone)

    return play


def _filming(
    bench: Bench, trial: Trial, name: str
) -> Callable[[Carry], Iterator[Event]]:
    return lambda carry: film(bench, trial, carry, name)


def _remarks(remarks: dict[str, str]) -> Artefact:
    return Artefact("remarks", "remarks", {}, remarks)


def _frozen(bench: Bench, entrant: Entrant, weights: Weights, carry: Carry) -> Artefact:
    """File frozen meta-weights, and remember their digest."""
    arrays = plain(weights)
    carry.facts[f"digest {entrant.label} {digest(arrays)}"] = 1.0
    info = {
        "learner": entrant.choice.name,
        "knobs": entrant.choice.knobs,
        "family": bench.spec.family.model_dump(mode="json"),
        "digest": digest(arrays),
        "meta_step": carry.facts.get(f"{entrant.label}.at", 0.0),
    }
    return Artefact(entrant.label, "frozen", arrays, info)


def _check_frozen(carry: Carry) -> None:
    """Make sure that testing changed nothing that was frozen."""
    now = {f"digest {label} {digest(plain(w))}" for label, w in carry.metas.items()}
    then = {name for name in carry.facts if name.startswith("digest ")}
    if not then <= now:
        raise RuntimeError("a frozen meta-learner changed while it was tested")
