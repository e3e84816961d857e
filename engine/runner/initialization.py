"""What every learner has before the test: given, tuned, or carried over.

And the threshold, the level that counts as solved: fixed on validation tasks by
what tuned SGD reaches, before any test is taken.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import torch

from engine.contract.blocks import Artefact, Block, Event, Note
from engine.contract.errors import Refused
from engine.contract.runs import Choice, LearnerChoice
from engine.protocol import Family, Learner, Meta, Place, Spaces, TaskBatch, Weights
from engine.runner.baseline_cache import SubRun
from engine.runner.context import Bench, Entrant, draw_tasks, resolve
from engine.runner.frozen_learners import frozen
from engine.runner.meta_training import follow_all, following, validation_tasks, view
from engine.runner.run_cache import Shelf
from engine.runner.state import Carry
from engine.runner.tuning import tune_rate, tuning_spec

REFERENCE = LearnerChoice(
    name="sgd", role="baseline", label="reference", knobs={"tuning": "tuned"}
)
THRESHOLD_TASKS, THRESHOLD_SHARE = 64, 0.9


def tune(bench: Bench, entrant: Entrant, carry: Carry) -> Iterator[Event]:
    """Choose a baseline's rate; this is all that a tuning sub-run does."""
    weights = yield from tune_rate(bench, entrant)
    carry.metas[entrant.label] = weights
    yield frozen(bench, entrant, weights, carry)


def begin(
    bench: Bench, entrant: Entrant, shelf: Shelf, carry: Carry
) -> Iterator[Event]:
    """Give a learner its meta-weights, and show it on the validation tasks."""
    label, learner = entrant.label, entrant.learner
    tasks, learned_on = validation_tasks(bench), bench.spec.family
    ready = True  # nothing is left to be trained or tuned
    if label in bench.spec.inputs:
        weights, learned_on = _carried_over(bench, entrant, shelf, tasks)
    elif bench.tunes_first(entrant):
        weights = yield from _tuned_rate(bench, entrant.choice, shelf)
    else:
        weights, ready = learner.init(bench.streams("init"), tasks).weights, False
    carry.metas[label] = weights
    if ready:
        yield frozen(bench, entrant, weights, carry)
    if learner.trains and isinstance(tasks, Spaces):
        yield _met(bench, label, learned_on)
    if learner.scale_limits:
        for name, limit in zip(("low", "high"), learner.scale_limits, strict=True):
            yield Block(label, "train", f"scale_{name}", (), np.array(limit))
    found = yield from following(learner, weights, tasks, f"begin {label}")
    yield from view(bench, label, found)


def _carried_over(
    bench: Bench, entrant: Entrant, shelf: Shelf, tasks: TaskBatch
) -> tuple[Weights, Choice]:
    """Return what another run froze, and the family that it was trained on.

    Raises:
        Refused: If it is not here, or does not fit this learner or these tasks.
    """
    label = entrant.label
    given = bench.spec.inputs[label]
    carried = shelf.frozen(given.run, given.artefact)
    weights = _adopted(bench, entrant, carried.arrays, tasks)
    if reason := entrant.learner.why_not(Meta(weights, {}), tasks):
        raise Refused(f"{label}: {reason}", f"inputs.{label}")
    family = carried.info.get("family")
    return weights, Choice.model_validate(family) if family else bench.spec.family


def _met(bench: Bench, label: str, learned_on: Choice) -> Block:
    """Say which share of the tests' tasks a search strategy was trained on."""
    family = resolve("family", learned_on, Family)
    trained = bench.draw(replace(bench.setting, family=family), "train", ("met",), 1)
    tested = bench.draw(bench.setting, "test", ("met",), 1)
    known, asked = _names(trained), _names(tested)
    share = np.array([name in known for name in asked]).mean()
    return Block(label, "train", "met_before", (), share)


def _names(tasks: TaskBatch) -> set[tuple[str, str]]:
    """Return a pool's tasks by their space and their name."""
    assert isinstance(tasks, Spaces)
    known = tasks.evaluator
    return {(known.space.name, known.tasks[i]) for i in tasks.sources}


def fix_threshold(bench: Bench, shelf: Shelf, carry: Carry) -> Iterator[Event]:
    """Fix the level that counts as solved, unless the spec gives it."""
    level = bench.spec.budget.threshold
    if not level:
        weights = yield from _quietly(_tuned_rate(bench, REFERENCE, shelf))
        place = Place(1, bench.place.device, held=False)
        streams = [bench.rng.child("threshold")]
        tasks = draw_tasks(bench.setting, "validation", streams, THRESHOLD_TASKS, place)
        learner = resolve("learner", REFERENCE, Learner)
        found = follow_all(learner, weights, tasks)
        level = _level(found.traces["loss"].cpu().numpy())
    carry.threshold = level
    yield Block("", "validate", "threshold", (), np.array(level))


def _adopted(
    bench: Bench, entrant: Entrant, arrays: dict[str, np.ndarray], tasks: TaskBatch
) -> Weights:
    """Return carried-over meta-weights; replicates repeat where there are fewer."""
    start = entrant.learner.init(bench.streams("init"), tasks).weights
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


def _tuned_rate(
    bench: Bench, choice: LearnerChoice, shelf: Shelf
) -> Generator[Event, None, Weights]:
    """Play or fetch the sub-run that tunes a baseline; return its rate."""
    sub = SubRun(tuning_spec(bench.spec, choice), shelf)
    events = sub.cached()
    if events is None:
        inner = Bench(sub.spec)
        for event in sub.record(tune(inner, inner.entrants[0], Carry())):
            if isinstance(event, Note):
                yield replace(event, stage=f"tune {choice.label}")
        events = sub.store()
    rate: Weights = {}
    for event in events:
        if isinstance(event, Block):
            yield replace(event, learner=choice.label)
        elif isinstance(event, Artefact):
            lr = torch.from_numpy(np.array(event.arrays["lr"]))
            rate = {"lr": lr.to(bench.place.device)}
    return rate


def _quietly(
    events: Generator[Event, None, Weights],
) -> Generator[Event, None, Weights]:
    """Pass notes on, keep blocks back, and hand the result through."""
    while True:
        try:
            event = next(events)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        if isinstance(event, Note):
            yield event


def _level(loss: np.ndarray) -> float:
    """Return the loss at 90 % of the median improvement; (task, step) → number."""
    first, last = np.nanmedian(loss[:, 0]), np.nanmedian(loss[:, -1])
    return float(first - THRESHOLD_SHARE * (first - last))
