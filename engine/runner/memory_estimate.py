"""How much memory a run will take, found before it starts.

Ranges of single fields say nothing of their product. So each stage is played with one
task and with two, and for a few steps; what it held then grows with tasks, replicates
and steps as they do in the run.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

from engine.contract.errors import Refused
from engine.contract.runs import RunSpec
from engine.protocol import (
    Meta,
    OptimizationBatch,
    OuterStepContext,
    SearchBatch,
    Setting,
    TaskBatch,
    run_eagerly,
)
from engine.protocol.chunks import join_segments
from engine.runner.baseline_tuning import tuning_tasks
from engine.runner.context import (
    LearnerEntry,
    MetaTestCondition,
    RunContext,
    draw_tasks,
)
from engine.runner.initialization import THRESHOLD_TASKS
from engine.runner.memory_limit import describe_limit, format_gigabytes, memory_limit
from engine.runner.memory_needs import (
    IMPORTED,
    MemoryNeed,
    describe_remedy,
    fields_to_lower,
)
from engine.runner.null_evaluator import TRAINED, NullEvaluator
from engine.runner.peak_memory import (
    byte_size,
    peak_array_bytes,
    peak_bytes,
    peak_tensor_bytes,
)
from engine.runner.rate_search import RATES

SPARE = 1.4  # what an allocator and a kernel hold beside the tensors
SHORT, LONGER = 2, 4  # steps of the two small plays
COPIES = 4  # of a learner's traces, while they are summed up
ROWS, SEARCH_ROWS = 3, 12  # of all that is stored, while the verdict is found


class Growth(NamedTuple):
    """Bytes of a small play: what is there once, and what each task adds.

    `step` is what a task adds for each further step.
    """

    once: float
    task: float
    step: float

    def task_bytes(self, steps: int) -> float:
        """Return what a task adds over so many steps."""
        return self.task + self.step * max(0, steps - SHORT)


def measure_growth(
    context: RunContext, play: Callable[[int, int], object], steps: int, *, graph: bool
) -> Growth:
    """Play with (tasks, steps) small enough to be quick, and see what grows.

    Args:
        context: The run; searches hold numpy's arrays, other tasks hold tensors alone.
        play: Plays with a number of tasks and of steps.
        steps: How many there will be.
        graph: Whether what a step computes is held to the end.
    """
    numpy = context.kind.numpy
    peak = peak_bytes if numpy else peak_tensor_bytes
    short, longer = min(SHORT, steps), min(LONGER, steps)
    if numpy:
        play(1, 1)  # what is imported and kept on the way is no part of it
    one, two = (peak(lambda n=n: play(n, short)) for n in (1, 2))
    task, rise = max(0, two - one), 0.0
    if graph and longer > short:
        rise = (peak(lambda: play(1, longer)) - one) / (longer - short)
    return Growth(max(0.0, one - task), task, max(0.0, rise))


def stage_needs(spec: RunSpec) -> Iterator[MemoryNeed]:
    """Yield what the stages of a completed spec hold, in bytes."""
    context = RunContext(spec)
    tasks = _draw_sample(context, context.setting, 1)
    trains = isinstance(tasks, SearchBatch) and isinstance(
        tasks.evaluator, NullEvaluator
    )
    for need in _stage_needs(context):
        yield need._replace(beside=IMPORTED + TRAINED * trains)


def _stage_needs(context: RunContext) -> Iterator[MemoryNeed]:
    spec = context.spec
    budget, whole = spec.budget, 0.0
    known: dict[tuple[str, int], AdaptationMemory] = {}
    trials = context.test_conditions()[0] if budget.test_tasks else []
    hardest = max(trials, key=lambda t: _task_size(context, t), default=None)
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
        steps = sum(condition.setting.horizon + 1 for condition in trials)
        whole += here.row * steps
    rows = SEARCH_ROWS if context.kind.numpy else ROWS
    asked = ("summary", "test_tasks", budget.test_tasks, spec.replicates)
    yield MemoryNeed(*asked, 0.0, rows * whole)


def check_memory(spec: RunSpec) -> None:
    """Refuse a completed spec that will not fit into memory.

    Raises:
        Refused: With the fields to lower.
    """
    limit = memory_limit()
    if limit is None or spec.device != "cpu":
        return
    torch.set_num_threads(1)  # as in the run
    found: list[MemoryNeed] = []
    for need in stage_needs(spec):
        found.append(need)
        if need.is_hopeless(limit):
            break  # whatever the other stages hold, a smaller net is needed
    over = [need for need in found if need.total > limit]
    if over:
        most = format_gigabytes(max(need.total for need in over))
        reason = f"needs about {most}, more than {describe_limit()}: "
        raise Refused(reason + describe_remedy(over, limit), _field_path(over, limit))


def describe_memory_overrun(spec: RunSpec) -> str:
    """Say what to lower in a spec that ran out of memory all the same."""
    worst = max(stage_needs(spec), key=lambda need: need.total)
    limit = memory_limit()
    at = "" if limit is None else f" at {describe_limit()}"
    halved = (worst.total + IMPORTED) / 2
    return (
        f"ran out of memory{at}: "
        f"{describe_remedy([worst], min(limit or halved, halved))}"
    )


def _field_path(over: list[MemoryNeed], limit: float) -> str:
    """Return the path of the field that is to be lowered first."""
    first = next(iter(fields_to_lower(over, limit)), "horizon")
    return first if first == "replicates" else f"budget.{first}"


def _draw_sample(context: RunContext, setting: Setting, tasks: int) -> TaskBatch:
    """Draw some tasks of one replicate; which ones does not matter."""
    place = context.batch_spec._replace(replicates=1)
    drawn = draw_tasks(setting, "train", context.streams("size")[:1], tasks, place)
    if (
        isinstance(drawn, SearchBatch)
        and drawn.evaluator.scores(drawn.sources[0]) is None
    ):
        return replace(drawn, evaluator=NullEvaluator(drawn.evaluator))
    return drawn


def _task_size(context: RunContext, condition: MetaTestCondition) -> float:
    """Return what a task of a condition holds, times its steps."""
    return float(
        byte_size(_draw_sample(context, condition.setting, 1))
        * condition.setting.horizon
    )


def _training_need(context: RunContext, entry: LearnerEntry) -> MemoryNeed:
    learner, budget = entry.learner, context.spec.budget
    setting, count = context.setting, context.spec.replicates
    plan = learner.plan(budget, context.estimator)

    steps = context.estimator.window_length(setting.horizon)
    step_context = partial(_take_outer_steps, context, entry)
    found = measure_growth(context, step_context, steps, graph=True)
    drawn = _drawing_bytes(context, setting)
    tasks = _draw_sample(context, setting, 1)
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
    """Take two outer steps on a few tasks, and write down what is remembered."""
    setting = replace(context.setting, horizon=steps)
    batch = _draw_sample(context, setting, tasks)
    streams = context.streams("init")[:1]
    meta = entry.learner.init(streams, batch)
    step_context = OuterStepContext(0, 0, 1, streams, 0.0, run_eagerly)
    for _ in range(2):
        found = entry.learner.outer(meta, batch, step_context, context.estimator)
        meta = meta._replace(memory=found.memory)
    return [value.clone() for value in meta.memory.values()]


def _drawing_bytes(context: RunContext, setting: Setting) -> float:
    """Return what drawing one more task of a setting takes at most."""
    return peak_array_bytes(lambda: _draw_sample(context, setting, 2)) / 2


class AdaptationMemory(NamedTuple):
    """What adapting to the tasks of a setting holds.

    Args:
        found: Of one chunk.
        data: Bytes to draw a task.
        row: Bytes of a task's traces at one step.
        chunk: How many members are adapted at once.
        horizon: The setting's.
    """

    found: Growth
    data: float
    row: float
    chunk: int
    horizon: int

    @classmethod
    def measure(
        cls, context: RunContext, entry: LearnerEntry, setting: Setting
    ) -> "AdaptationMemory":
        """Adapt to one task and to two."""
        rows: dict[int, float] = {1: 0.0, 2: 0.0}

        def adapt(tasks: int, steps: int) -> None:
            batch = _draw_sample(context, replace(setting, horizon=steps), tasks)
            meta = entry.learner.init(context.streams("init")[:1], batch)
            if not entry.learner.why_not(meta, batch):
                pieces = list(entry.learner.adapt(Meta(meta.weights, {}), batch))
                rows[tasks] = byte_size(join_segments(pieces).traces) / (steps + 1)

        found = measure_growth(context, adapt, setting.horizon, graph=False)
        chunk = _draw_sample(context, setting, 1).chunk
        row = rows[2] - rows[1]
        return cls(found, _drawing_bytes(context, setting), row, chunk, setting.horizon)

    def need(self, stage: str, field: str, count: int, replicates: int) -> MemoryNeed:
        """Return what a stage holds that adapts to so many tasks of each replicate."""
        each = self.data + COPIES * self.row * (self.horizon + 1)
        sizes = (self.found.once, each, self.found.task)
        once, each, member = (SPARE * size for size in sizes)
        return MemoryNeed(
            stage, field, count, replicates, once, each, member, self.chunk
        )


def _measure_once(
    known: dict[tuple[str, int], AdaptationMemory],
    context: RunContext,
    entry: LearnerEntry,
    setting: Setting,
) -> AdaptationMemory:
    """Measure once what differs in its rate alone: that is not a question of size."""
    knobs = {k: v for k, v in entry.choice.knobs.items() if k not in ("lr", "tuning")}
    key = (f"{entry.choice.name} {knobs}", id(setting))
    if key not in known:
        known[key] = AdaptationMemory.measure(context, entry, setting)
    return known[key]


def _tuning_needs(
    context: RunContext, entry: LearnerEntry, here: AdaptationMemory
) -> Iterator[MemoryNeed]:
    """Yield what it takes to tune a rate, and to fix the threshold with a tuned one.

    Rates are tuned on tasks of one replicate; an equal budget names their number.
    """
    budget = context.spec.budget
    found = here.need("tuning", "tuning_tasks", budget.tuning_tasks, 1)
    if context.tunes_first(entry):
        if tuning_tasks(budget, entry.choice) != budget.tuning_tasks:
            whole = here.need("tuning", "task_evaluations", budget.task_evaluations, 1)
            found = whole.divide_by(RATES)
        if not budget.threshold:
            yield here.need("threshold", "", THRESHOLD_TASKS, 1)
    yield found
