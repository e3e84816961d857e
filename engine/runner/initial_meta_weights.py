"""Initial meta-weights: the learner's own, a tuned rate, or those of an earlier run.

Also the threshold, the loss that counts as solved: fixed on validation tasks by what
tuned SGD reaches, before any test.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Event, Note
from engine.contract.run_spec import Choice, LearnerChoice
from engine.protocol import (
    BatchSpec,
    Family,
    Learner,
    Meta,
    SearchBatch,
    TaskBatch,
    Weights,
)
from engine.runner.baseline_cache import SubRun
from engine.runner.baseline_tuning import tune_rates, tuning_spec
from engine.runner.context import LearnerEntry, RunContext, build_part, draw_tasks
from engine.runner.frozen_learners import freeze_learner
from engine.runner.residual_variance import fix_residual_variance
from engine.runner.results_of_other_runs import RunCache
from engine.runner.state import RunState
from engine.runner.validation import (
    adapt_in_chunks,
    adapt_quietly,
    draw_validation_tasks,
    validation_curves,
)

REFERENCE = LearnerChoice(
    name="sgd", role="baseline", label="reference", knobs={"tuning": "tuned"}
)
# Validation tasks that fix the threshold; share of SGD's improvement that it takes.
THRESHOLD_TASKS, THRESHOLD_SHARE = 64, 0.9


def tune_baseline(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    """Tune a baseline's rates and freeze them: the only stage of a tuning sub-run."""
    weights = yield from tune_rates(context, entry)
    state.metas[entry.label] = weights
    yield freeze_learner(context, entry, weights, state)


def initialize_learner(
    context: RunContext, entry: LearnerEntry, cache: RunCache, state: RunState
) -> Iterator[Event]:
    """Give a learner its initial meta-weights, and validate it with them.

    Args:
        context: The run.
        entry: The learner.
        cache: Holds tuned rates and the meta-learners of other runs.
        state: Gets the meta-weights.

    Yields:
        Notes, blocks of tuning and validation, and the frozen artefact if nothing is
        left to be trained.

    Raises:
        Refused: If meta-weights of another run are missing or do not fit.
    """
    label, learner = entry.label, entry.learner
    tasks, learned_on = draw_validation_tasks(context), context.spec.family
    ready = True  # nothing is left to be trained or tuned
    if label in context.spec.inputs:
        weights, learned_on = _carried_over(context, entry, cache, tasks, state)
    elif context.tunes_first(entry):
        weights = yield from _tuned_rates(context, entry.choice, cache)
    else:
        weights, ready = learner.init(context.streams("init"), tasks).weights, False
    state.metas[label] = weights
    if ready or not (learner.trains or context.tunes_last(entry)):
        yield from fix_residual_variance(context, entry, state)
    if ready:
        yield freeze_learner(context, entry, weights, state)
    if learner.trains and isinstance(tasks, SearchBatch):
        yield _overlap_with_test(context, label, learned_on)
    if learner.scale_limits:
        for name, limit in zip(("low", "high"), learner.scale_limits, strict=True):
            yield Block(label, "train", f"scale_{name}", (), np.array(limit))
    found = yield from adapt_in_chunks(learner, weights, tasks, f"begin {label}")
    yield from validation_curves(context, label, found)
    support_loss = found.traces.get("support_loss")
    # The last step's support loss is not measured: no gradient is taken there.
    if learner.trains and support_loss is not None and support_loss.shape[1] > 2:
        yield _first_step_ratio(context, label, support_loss)


def _first_step_ratio(context: RunContext, label: str, loss: Tensor) -> Block:
    """Return by which factor the first inner step changes the loss that it descends.

    Args:
        context: The run.
        label: The learner.
        loss: Support loss by inner step; shape (replicate × task, step).
    """
    # Such a loss is 0 only where nothing is left to be learned.
    ratio = loss[:, 1] / loss[:, 0].clamp(min=torch.finfo(loss.dtype).tiny)
    rows = ratio.unflatten(0, (context.spec.replicates, -1)).cpu().numpy()
    return Block(label, "train", "first_step_ratio", ("replicate", "task"), rows)


def _carried_over(
    context: RunContext,
    entry: LearnerEntry,
    cache: RunCache,
    tasks: TaskBatch,
    state: RunState,
) -> tuple[Weights, Choice]:
    """Return the frozen meta-weights of another run, and its training family.

    The state gets the variance of its residuals, if that was frozen with them.

    Raises:
        Refused: If they are missing, or do not fit this learner or these tasks.
    """
    label = entry.label
    given = context.spec.inputs[label]
    carried = cache.frozen_artefact(given.run, given.artefact)
    weights = _adopt_weights(context, entry, carried.arrays, tasks)
    if reason := entry.learner.why_not(Meta(weights, {}), tasks):
        raise Refused(f"{label}: {reason}", f"inputs.{label}")
    if variance := carried.info.get("residual_variance"):
        rows = _own_replicates(context, np.array(variance), context.spec.replicates)
        state.learner(label).residual_variance = [float(row) for row in rows]
    family = carried.info.get("family")
    return weights, Choice.model_validate(family) if family else context.spec.family


def _overlap_with_test(context: RunContext, label: str, learned_on: Choice) -> Block:
    """Return which share of the test tasks a search strategy was trained on."""
    family = build_part("family", learned_on, Family)
    trained = context.draw(
        replace(context.setting, family=family), "train", ("met",), 1
    )
    tested = context.draw(context.setting, "test", ("met",), 1)
    known, asked = _task_names(trained), _task_names(tested)
    share = np.array([name in known for name in asked]).mean()
    return Block(label, "train", "met_before", (), share)


def _task_names(tasks: TaskBatch) -> set[tuple[str, str]]:
    """Return the tasks of a batch, each as its space's and its own name."""
    assert isinstance(tasks, SearchBatch)
    known = tasks.evaluator
    return {(known.space.name, known.tasks[i]) for i in tasks.sources}


def fix_threshold(
    context: RunContext, cache: RunCache, state: RunState
) -> Iterator[Event]:
    """Fix the loss that counts as solved, unless the spec gives it.

    Args:
        context: The run.
        cache: Holds the reference's tuned rate.
        state: Gets the threshold, nats.

    Yields:
        Notes and the threshold's block.
    """
    level = context.spec.budget.threshold
    if not level:
        # A definition, not a result: the same whatever the run's replicates are.
        first = context.spec.model_copy(update={"replicates": 1, "first_replicate": 0})
        weights = yield from _without_blocks(
            _tuned_rates(RunContext(first), REFERENCE, cache)
        )
        place = BatchSpec(1, context.batch_spec.device, measure_held_out=False)
        streams = [context.rng.child("threshold")]
        tasks = draw_tasks(
            context.setting, "validation", streams, THRESHOLD_TASKS, place
        )
        learner = build_part("learner", REFERENCE, Learner)
        found = adapt_quietly(learner, weights, tasks)
        level = _solved_level(found.traces["loss"].cpu().numpy())
    state.threshold = level
    yield Block("", "validate", "threshold", (), np.array(level))


def _adopt_weights(
    context: RunContext,
    entry: LearnerEntry,
    arrays: dict[str, np.ndarray],
    tasks: TaskBatch,
) -> Weights:
    """Return another run's meta-weights, replicate by replicate.

    If it had too few replicates, they are repeated.
    """
    start = entry.learner.init(context.streams("init"), tasks).weights
    adopted = {}
    for name, tensor in start.items():
        array = arrays.get(name)
        if array is None or array.shape[1:] != tuple(tensor.shape[1:]):
            reason = _explain_misfit(context, entry, name)
            raise Refused(
                f"the frozen weights do not fit {entry.label}: {reason}",
                f"inputs.{entry.label}",
            )
        rows = _own_replicates(context, array, len(tensor))
        adopted[name] = torch.from_numpy(rows).to(tensor)
    return adopted


def _explain_misfit(context: RunContext, entry: LearnerEntry, name: str) -> str:
    """Return why frozen weights have other sizes than this run needs."""
    here = context.spec
    made = here.inputs[entry.label]
    if made.spec is None:
        return f"{name} differs; take the net, knobs and tasks of the run that made it"
    if made.spec.net != here.net:
        return f"this run has another net; take {made.spec.net.name} with its knobs"
    knobs = next(c.knobs for c in made.spec.learners if c.label == made.artefact)
    other = [k for k, v in entry.choice.knobs.items() if knobs.get(k, v) != v]
    if other:
        return f"knobs differ from the run that made them: {', '.join(other)}"
    return (
        f"{name} has another size for {here.family.name} than for "
        f"{made.spec.family.name}; the number of inputs or classes differs, so choose "
        "tasks that have as many"
    )


def _own_replicates(context: RunContext, array: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of this run's replicates; if there are fewer, they repeat."""
    first = context.spec.first_replicate
    rows = np.resize(array, (first + count, *array.shape[1:]))
    return rows[first:].copy()


def _tuned_rates(
    context: RunContext, choice: LearnerChoice, cache: RunCache
) -> Generator[Event, None, Weights]:
    """Tune a baseline in a sub-run, or take that from the cache; return its rates."""
    sub = SubRun(tuning_spec(context.spec, choice), cache)
    events = sub.cached_events()
    if events is None:
        inner = RunContext(sub.spec)
        for event in sub.record(tune_baseline(inner, inner.entries[0], RunState())):
            if isinstance(event, Note):
                yield replace(event, stage=f"tune {choice.label}")
        events = sub.store()
    rates: Weights = {}
    for event in events:
        if isinstance(event, Block):
            yield replace(event, learner=choice.label)
        elif isinstance(event, Artefact):
            lr = torch.from_numpy(np.array(event.arrays["lr"]))
            rates = {"lr": lr.to(context.batch_spec.device)}
    return rates


def _without_blocks(
    events: Generator[Event, None, Weights],
) -> Generator[Event, None, Weights]:
    """Yield only the notes among events; return the generator's result."""
    while True:
        try:
            event = next(events)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        if isinstance(event, Note):
            yield event


def _solved_level(loss: np.ndarray) -> float:
    """Return the loss at 90 % of the median improvement; (task, step) → number."""
    # Medians that skip NaN: the reference may diverge on some tasks.
    first, last = np.nanmedian(loss[:, 0]), np.nanmedian(loss[:, -1])
    return float(first - THRESHOLD_SHARE * (first - last))
