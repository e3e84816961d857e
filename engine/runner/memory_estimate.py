"""Memory estimate of a run, made before it starts.

Limits on single fields do not bound their product. So each stage is run with one and
with two tasks for a few steps; its memory is then extrapolated to the run's numbers of
tasks, replicates and steps.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch

from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec
from engine.protocol import (
    OptimizationBatch,
    OuterStepContext,
    SearchBatch,
    Setting,
    run_eagerly,
)
from engine.runner.baseline_tuning import SEARCH_COST, tuning_tasks
from engine.runner.batches import batch_specs
from engine.runner.context import (
    LearnerEntry,
    MetaTestCondition,
    RunContext,
)
from engine.runner.initial_meta_weights import THRESHOLD_TASKS
from engine.runner.memory_limit import describe_limit, format_gigabytes, memory_limit
from engine.runner.memory_needs import (
    IMPORTED,
    MemoryNeed,
    describe_remedy,
    fields_to_lower,
)
from engine.runner.memory_trial_evaluator import TRAINED, NullEvaluator
from engine.runner.memory_trials import (
    SPARE,
    AdaptationMemory,
    draw_sample,
    drawing_bytes,
    measure_growth,
)
from engine.runner.peak_memory import (
    byte_size,
)

ROWS, SEARCH_ROWS = 3, 12  # copies of all stored results, while they are summarized


def stage_needs(spec: RunSpec) -> Iterator[MemoryNeed]:
    """Yield the memory needs of a run's stages, in bytes.

    Args:
        spec: Completed by `complete_spec`.
    """
    largest = max(batch_specs(spec), key=lambda batch: batch.replicates)
    context = RunContext(largest)
    tasks = draw_sample(context, context.setting, 1)
    trains = isinstance(tasks, SearchBatch) and isinstance(
        tasks.evaluator, NullEvaluator
    )
    for need in _stage_needs(context, spec.replicates):
        yield need._replace(beside=IMPORTED + TRAINED * trains)


def _stage_needs(context: RunContext, replicates: int) -> Iterator[MemoryNeed]:
    """Yield the needs of a batch's stages, and of the summary of all replicates."""
    spec = context.spec
    budget, whole = spec.budget, 0.0
    known: dict[tuple[str, int], AdaptationMemory] = {}
    conditions = context.test_conditions()[0] if budget.test_tasks else []
    hardest = max(conditions, key=lambda t: _task_size(context, t), default=None)
    for entry in context.entries:
        if entry.learner.trains and entry.label not in spec.inputs:
            yield _training_need(context, entry)
        here = _measure_once(known, context, entry, context.setting)
        count = budget.validation_tasks
        yield here.need("validation", "validation_tasks", count, spec.replicates)
        if entry.is_tuned:
            yield from _tuning_needs(context, entry, here)
        if hardest is None:
            continue
        if hardest.setting is not context.setting:
            here = _measure_once(known, context, entry, hardest.setting)
        yield here.need("test", "test_tasks", budget.test_tasks, spec.replicates)
        steps = sum(condition.setting.horizon + 1 for condition in conditions)
        whole += here.row * steps
    rows = SEARCH_ROWS if context.kind.numpy else ROWS
    asked = ("summary", "test_tasks", budget.test_tasks, replicates)
    yield MemoryNeed(*asked, 0.0, rows * whole)


def check_memory(spec: RunSpec) -> None:
    """Check that a run will fit into memory.

    Args:
        spec: Completed by `complete_spec`; only runs on the CPU are checked.

    Raises:
        Refused: If it will not; the message names the fields to lower.
    """
    limit = memory_limit()
    if limit is None or spec.device != "cpu":
        return
    torch.set_num_threads(1)  # as in the run
    found: list[MemoryNeed] = []
    for need in stage_needs(spec):
        found.append(need)
        if need.is_hopeless(limit):
            break  # only a smaller net or horizon helps, whatever other stages need
    over = [need for need in found if need.total > limit]
    if over:
        most = format_gigabytes(max(need.total for need in over))
        reason = f"needs about {most}, more than {describe_limit()}: "
        raise Refused(reason + describe_remedy(over, limit), _field_path(over, limit))


def describe_memory_overrun(spec: RunSpec) -> str:
    """Return what to lower in a run that ran out of memory despite the estimate."""
    worst = max(stage_needs(spec), key=lambda need: need.total)
    limit = memory_limit()
    at = "" if limit is None else f" at {describe_limit()}"
    halved = (worst.total + IMPORTED) / 2  # the estimate was too low: leave room
    return (
        f"ran out of memory{at}: "
        f"{describe_remedy([worst], min(limit or halved, halved))}"
    )


def _field_path(over: list[MemoryNeed], limit: float) -> str:
    """Return the spec path of the first field to lower."""
    first = next(iter(fields_to_lower(over, limit)), "horizon")
    return first if first == "replicates" else f"budget.{first}"


def _task_size(context: RunContext, condition: MetaTestCondition) -> float:
    """Return a condition's bytes per task times its steps, to find the largest."""
    return float(
        byte_size(draw_sample(context, condition.setting, 1))
        * condition.setting.horizon
    )


def _training_need(context: RunContext, entry: LearnerEntry) -> MemoryNeed:
    learner, budget = entry.learner, context.spec.budget
    setting, count = context.setting, context.spec.replicates
    plan = learner.plan(budget, context.estimator)

    steps = context.estimator.window_length(setting.horizon)
    step_context = partial(_take_outer_steps, context, entry)
    found = measure_growth(context, step_context, steps, graph=True)
    drawn = drawing_bytes(context, setting)
    tasks = draw_sample(context, setting, 1)
    per_task = plan.tasks_per_step // budget.tasks_per_step
    asked = ("training", "tasks_per_step", budget.tasks_per_step, count)
    if isinstance(tasks, OptimizationBatch):
        each = per_task * (found.task_bytes(steps) + drawn)
        return MemoryNeed(*asked, SPARE * found.once, SPARE * each)
    member, chunk = SPARE * found.task * per_task, tasks.chunk / per_task
    return MemoryNeed(*asked, SPARE * found.once, SPARE * drawn, member, chunk)


def _take_outer_steps(
    context: RunContext, entry: LearnerEntry, tasks: int, steps: int
) -> object:
    """Take two outer steps on a few tasks; copy the memory as a checkpoint does."""
    setting = replace(context.setting, horizon=steps)
    batch = draw_sample(context, setting, tasks)
    streams = context.streams("init")[:1]
    meta = entry.learner.init(streams, batch)
    step_context = OuterStepContext(0, 0, 1, streams, 0.0, run_eagerly)
    for _ in range(2):  # the first step may fill a memory that the second one holds
        found = entry.learner.outer(meta, batch, step_context, context.estimator)
        meta = meta._replace(memory=found.memory)
    return [value.clone() for value in meta.memory.values()]


def _measure_once(
    known: dict[tuple[str, int], AdaptationMemory],
    context: RunContext,
    entry: LearnerEntry,
    setting: Setting,
) -> AdaptationMemory:
    """Measure a learner's memory; once for all that differ only in their rate."""
    knobs = {k: v for k, v in entry.choice.knobs.items() if k not in ("lr", "tuning")}
    key = (f"{entry.choice.name} {knobs}", id(setting))
    if key not in known:
        known[key] = AdaptationMemory.measure(context, entry, setting)
    return known[key]


def _tuning_needs(
    context: RunContext, entry: LearnerEntry, here: AdaptationMemory
) -> Iterator[MemoryNeed]:
    """Yield the needs of tuning a rate, and of fixing the threshold with it.

    With an equal budget, `task_evaluations` sets the number of tasks.
    """
    budget, count = context.spec.budget, context.spec.replicates
    found = here.need("tuning", "tuning_tasks", budget.tuning_tasks, count)
    if context.tunes_first(entry):
        if tuning_tasks(budget, entry.choice) != budget.tuning_tasks:
            asked = ("tuning", "task_evaluations", budget.task_evaluations, count)
            found = here.need(*asked).divide_by(SEARCH_COST)
        if not budget.threshold:
            yield here.need("threshold", "", THRESHOLD_TASKS, 1)
    yield found
