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
from engine.contract.kinds import KINDS
from engine.contract.runs import RunSpec
from engine.protocol import Landscapes, Lesson, Meta, Setting, TaskBatch, unchanged
from engine.protocol.chunks import join
from engine.runner.context import Bench, Entrant, Trial, draw_tasks
from engine.runner.initialization import THRESHOLD_TASKS
from engine.runner.live_memory import peak_arrays, peak_memory, peak_tensors, size_of
from engine.runner.memory_limit import gigabytes, memory_limit
from engine.runner.tuning import tuning_spec

IMPORTED = 550e6  # bytes that Python, torch and the statistics hold without a run
SPARE = 1.4  # what an allocator and a kernel hold beside the tensors
SHORT, LONGER = 4, 8  # steps of the two small plays
COPIES = 4  # of a learner's traces, while they are summed up
ROWS, SEARCH_ROWS = 3, 12  # of all that is stored, while the verdict is found


class Need(NamedTuple):
    """What one stage holds: `fixed`, and `each` for each unit of a budget's field."""

    stage: str
    field: str
    count: int
    fixed: float
    each: float

    @property
    def total(self) -> float:
        return self.fixed + self.each * self.count

    def fits(self, limit: float) -> int:
        """Return up to which count it stays within a limit."""
        return int((limit - self.fixed) / self.each) if self.each else self.count


class Growth(NamedTuple):
    """Bytes of a small play: what is there once, and what each task adds.

    `step` is what a task adds for each further step.
    """

    once: float
    task: float
    step: float

    def at(self, steps: int) -> float:
        """Return what a task adds over so many steps."""
        return self.task + self.step * max(0, steps - SHORT)


def growth(
    bench: Bench, play: Callable[[int, int], object], steps: int, *, graph: bool
) -> Growth:
    """Play with (tasks, steps) small enough to be quick, and see what grows.

    Args:
        bench: The run; searches hold numpy's arrays, other tasks hold tensors alone.
        play: Plays with a number of tasks and of steps.
        steps: How many there will be.
        graph: Whether what a step computes is held to the end.
    """
    numpy = KINDS[bench.setting.family.kind].numpy
    peak = peak_memory if numpy else peak_tensors
    short, longer = min(SHORT, steps), min(LONGER, steps)
    if numpy:
        play(1, 1)  # what is imported and kept on the way is no part of it
    one, two = (peak(lambda n=n: play(n, short)) for n in (1, 2))
    task, rise = max(0, two - one), 0.0
    if graph and longer > short:
        rise = (peak(lambda: play(1, longer)) - one) / (longer - short)
    return Growth(max(0.0, one - task), task, max(0.0, rise))


def needs(spec: RunSpec) -> Iterator[Need]:
    """Yield what the stages of a completed spec hold, in bytes."""
    bench = Bench(spec)
    budget, whole = spec.budget, 0.0
    trials = bench.trials()[0] if budget.test_tasks else []
    hardest = max(trials, key=lambda t: _size(bench, t), default=None)
    for entrant in bench.entrants:
        if entrant.learner.trains and entrant.label not in spec.inputs:
            yield _training(bench, entrant)
        here = Adapting.measured(bench, entrant, bench.setting)
        count = budget.validation_tasks
        yield here.need("validation", "validation_tasks", count, spec.replicates)
        if entrant.tuned:
            yield _tuning(bench, entrant, here)
        if hardest is None:
            continue
        if hardest.setting is not bench.setting:
            here = Adapting.measured(bench, entrant, hardest.setting)
        yield here.need("test", "test_tasks", budget.test_tasks, spec.replicates)
        steps = sum(trial.setting.horizon + 1 for trial in trials)
        whole += spec.replicates * here.row * steps
    rows = SEARCH_ROWS if KINDS[bench.setting.family.kind].numpy else ROWS
    yield Need("summary", "test_tasks", budget.test_tasks, IMPORTED, rows * whole)


def check_memory(spec: RunSpec) -> None:
    """Refuse a completed spec that will not fit into memory.

    Raises:
        Refused: With the fields to lower.
    """
    limit = memory_limit()
    if limit is None or spec.device != "cpu":
        return
    torch.set_num_threads(1)  # as in the run
    found = list(needs(spec))
    if reason := excess(found, limit, spec.replicates):
        worst = max(found, key=lambda need: need.total)
        raise Refused(reason, f"budget.{worst.field}")


def outgrown(spec: RunSpec) -> str:
    """Say what to lower in a spec that ran out of memory all the same."""
    worst = max(needs(spec), key=lambda need: need.total)
    limit = memory_limit()
    at = "" if limit is None else f" at this machine's limit of {gigabytes(limit)}"
    halved = min(limit or worst.total, worst.total / 2 + IMPORTED)
    return f"ran out of memory{at}: {_way(worst, halved, spec.replicates)}"


def excess(found: list[Need], limit: float, replicates: int) -> str:
    """Say by which fields a run is too large for a limit, or nothing."""
    over = [need for need in found if need.total > limit]
    if not over:
        return ""
    worst: dict[str, Need] = {}
    for need in over:
        known = worst.get(need.field)
        if known is None or need.fits(limit) < known.fits(limit):
            worst[need.field] = need
    most = gigabytes(max(need.total for need in over))
    ways = " and ".join(_way(need, limit, replicates) for need in worst.values())
    return f"needs about {most}, this machine's limit is {gigabytes(limit)}: {ways}"


def _way(need: Need, limit: float, replicates: int) -> str:
    fits = need.fits(limit)
    if fits >= 1:
        return f"lower {need.field} from {need.count:,} to about {_rounded(fits):,}"
    alone = need.fixed + need.each
    few = int(replicates * (limit - IMPORTED) / (alone - IMPORTED))
    if few >= 1:
        first = f"lower {need.field} from {need.count:,} to 1 and " * (need.count > 1)
        return f"{first or 'lower '}replicates from {replicates} to about {few}"
    return (
        f"lower the size of the net or the horizon, for {need.field} of 1 alone needs "
        f"{gigabytes(alone)}"
    )


def _rounded(count: int) -> int:
    """Return a count with two digits, none of it more than was there.

    >>> _rounded(6789), _rounded(7)
    (6700, 7)
    """
    scale = 10 ** max(0, len(str(count)) - 2)
    return count // scale * scale


def _draw(bench: Bench, setting: Setting, tasks: int) -> TaskBatch:
    """Draw some tasks of one replicate; which ones does not matter."""
    place = bench.place._replace(replicates=1)
    return draw_tasks(setting, "train", bench.streams("size")[:1], tasks, place)


def _size(bench: Bench, trial: Trial) -> float:
    """Return what a task of a condition holds, times its steps."""
    return float(size_of(_draw(bench, trial.setting, 1)) * trial.setting.horizon)


def _training(bench: Bench, entrant: Entrant) -> Need:
    learner, budget = entrant.learner, bench.spec.budget
    setting, count = bench.setting, bench.spec.replicates
    plan = learner.plan(budget, bench.estimator)

    steps = bench.estimator.span(setting.horizon)
    lesson = partial(_lesson, bench, entrant)
    found = growth(bench, lesson, steps, graph=True)
    drawn = _data(bench, setting)
    tasks = _draw(bench, setting, 1)
    per_task = plan.tasks_per_step // budget.tasks_per_step
    if isinstance(tasks, Landscapes):
        fixed = count * found.once
        each = count * per_task * (found.at(steps) + drawn)
    else:
        at_once = min(tasks.chunk, count * plan.tasks_per_step)
        fixed = count * found.once + at_once * found.task
        each = count * drawn
    return _need("training", "tasks_per_step", budget.tasks_per_step, fixed, each)


def _lesson(bench: Bench, entrant: Entrant, tasks: int, steps: int) -> object:
    """Take two outer steps on a few tasks, and write down what is remembered."""
    setting = replace(bench.setting, horizon=steps)
    batch = _draw(bench, setting, tasks)
    streams = bench.streams("init")[:1]
    meta = entrant.learner.init(streams, batch)
    lesson = Lesson(0, 0, 1, streams, 0.0, unchanged)
    for _ in range(2):
        found = entrant.learner.outer(meta, batch, lesson, bench.estimator)
        meta = meta._replace(memory=found.memory)
    return [value.clone() for value in meta.memory.values()]


def _data(bench: Bench, setting: Setting) -> float:
    """Return what drawing one more task of a setting takes at most."""
    return peak_arrays(lambda: _draw(bench, setting, 2)) / 2


class Adapting(NamedTuple):
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
    def measured(cls, bench: Bench, entrant: Entrant, setting: Setting) -> "Adapting":
        """Adapt to one task and to two."""
        rows: dict[int, float] = {1: 0.0, 2: 0.0}

        def adapt(tasks: int, steps: int) -> None:
            batch = _draw(bench, replace(setting, horizon=steps), tasks)
            meta = entrant.learner.init(bench.streams("init")[:1], batch)
            if not entrant.learner.unfit(meta, batch):
                pieces = list(entrant.learner.adapt(Meta(meta.weights, {}), batch))
                rows[tasks] = size_of(join(pieces).traces) / (steps + 1)

        found = growth(bench, adapt, setting.horizon, graph=False)
        chunk = _draw(bench, setting, 1).chunk
        row = rows[2] - rows[1]
        return cls(found, _data(bench, setting), row, chunk, setting.horizon)

    def need(self, stage: str, field: str, count: int, replicates: int) -> Need:
        """Return what a stage holds that adapts to so many tasks of each replicate."""
        at_once = min(self.chunk, replicates * count)
        fixed = replicates * self.found.once + at_once * self.found.task
        traces = COPIES * self.row * (self.horizon + 1)
        return _need(stage, field, count, fixed, replicates * (self.data + traces))


def _tuning(bench: Bench, entrant: Entrant, here: Adapting) -> Need:
    """Rates are tuned on tasks of one replicate; an equal budget names their number."""
    count, field = bench.spec.budget.tuning_tasks, "tuning_tasks"
    if not bench.judge.tuned_last:
        sub = tuning_spec(bench.spec, entrant.choice).budget.tuning_tasks
        field = field if sub == count else "task_evaluations"
        count = max(sub, THRESHOLD_TASKS)
    return here.need("tuning", field, count, 1)


def _need(stage: str, field: str, count: int, fixed: float, each: float) -> Need:
    return Need(stage, field, count, IMPORTED + SPARE * fixed, SPARE * each)
