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
    Landscapes,
    Lesson,
    Meta,
    Setting,
    Spaces,
    TaskBatch,
    unchanged,
)
from engine.protocol.chunks import join
from engine.runner.context import Bench, Entrant, Trial, draw_tasks
from engine.runner.initialization import THRESHOLD_TASKS
from engine.runner.memory_limit import gigabytes, limit_in_words, memory_limit
from engine.runner.memory_needs import IMPORTED, Need, advice, lowered
from engine.runner.null_evaluator import TRAINED, Untrained
from engine.runner.peak_memory import peak_arrays, peak_memory, peak_tensors, size_of
from engine.runner.rate_search import RATES
from engine.runner.tuning import tuning_tasks

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
    numpy = bench.kind.numpy
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
    tasks = _draw(bench, bench.setting, 1)
    trains = isinstance(tasks, Spaces) and isinstance(tasks.evaluator, Untrained)
    for need in _needs(bench):
        yield need._replace(beside=IMPORTED + TRAINED * trains)


def _needs(bench: Bench) -> Iterator[Need]:
    spec = bench.spec
    budget, whole = spec.budget, 0.0
    known: dict[tuple[str, int], Adapting] = {}
    trials = bench.trials()[0] if budget.test_tasks else []
    hardest = max(trials, key=lambda t: _size(bench, t), default=None)
    for entrant in bench.entrants:
        if entrant.learner.trains and entrant.label not in spec.inputs:
            yield _training(bench, entrant)
        here = _measured(known, bench, entrant, bench.setting)
        count = budget.validation_tasks
        yield here.need("validation", "validation_tasks", count, spec.replicates)
        if entrant.tuned:
            yield from _tuning(bench, entrant, here)
        if hardest is None:
            continue
        if hardest.setting is not bench.setting:
            here = _measured(known, bench, entrant, hardest.setting)
        yield here.need("test", "test_tasks", budget.test_tasks, spec.replicates)
        steps = sum(trial.setting.horizon + 1 for trial in trials)
        whole += here.row * steps
    rows = SEARCH_ROWS if bench.kind.numpy else ROWS
    asked = ("summary", "test_tasks", budget.test_tasks, spec.replicates)
    yield Need(*asked, 0.0, rows * whole)


def check_memory(spec: RunSpec) -> None:
    """Refuse a completed spec that will not fit into memory.

    Raises:
        Refused: With the fields to lower.
    """
    limit = memory_limit()
    if limit is None or spec.device != "cpu":
        return
    torch.set_num_threads(1)  # as in the run
    found: list[Need] = []
    for need in needs(spec):
        found.append(need)
        if need.hopeless(limit):
            break  # whatever the other stages hold, a smaller net is needed
    over = [need for need in found if need.total > limit]
    if over:
        most = gigabytes(max(need.total for need in over))
        reason = f"needs about {most}, more than {limit_in_words()}: "
        raise Refused(reason + advice(over, limit), _place(over, limit))


def outgrown(spec: RunSpec) -> str:
    """Say what to lower in a spec that ran out of memory all the same."""
    worst = max(needs(spec), key=lambda need: need.total)
    limit = memory_limit()
    at = "" if limit is None else f" at {limit_in_words()}"
    halved = (worst.total + IMPORTED) / 2
    return f"ran out of memory{at}: {advice([worst], min(limit or halved, halved))}"


def _place(over: list[Need], limit: float) -> str:
    """Return the path of the field that is to be lowered first."""
    first = next(iter(lowered(over, limit)), "horizon")
    return first if first == "replicates" else f"budget.{first}"


def _draw(bench: Bench, setting: Setting, tasks: int) -> TaskBatch:
    """Draw some tasks of one replicate; which ones does not matter."""
    place = bench.place._replace(replicates=1)
    drawn = draw_tasks(setting, "train", bench.streams("size")[:1], tasks, place)
    if isinstance(drawn, Spaces) and drawn.evaluator.scores(drawn.sources[0]) is None:
        return replace(drawn, evaluator=Untrained(drawn.evaluator))
    return drawn


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
    asked = ("training", "tasks_per_step", budget.tasks_per_step, count)
    if isinstance(tasks, Landscapes):
        each = per_task * (found.at(steps) + drawn)
        return Need(*asked, SPARE * found.once, SPARE * each)
    member, chunk = SPARE * found.task * per_task, tasks.chunk / per_task
    return Need(*asked, SPARE * found.once, SPARE * drawn, member, chunk)


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
            if not entrant.learner.why_not(meta, batch):
                pieces = list(entrant.learner.adapt(Meta(meta.weights, {}), batch))
                rows[tasks] = size_of(join(pieces).traces) / (steps + 1)

        found = growth(bench, adapt, setting.horizon, graph=False)
        chunk = _draw(bench, setting, 1).chunk
        row = rows[2] - rows[1]
        return cls(found, _data(bench, setting), row, chunk, setting.horizon)

    def need(self, stage: str, field: str, count: int, replicates: int) -> Need:
        """Return what a stage holds that adapts to so many tasks of each replicate."""
        each = self.data + COPIES * self.row * (self.horizon + 1)
        sizes = (self.found.once, each, self.found.task)
        once, each, member = (SPARE * size for size in sizes)
        return Need(stage, field, count, replicates, once, each, member, self.chunk)


def _measured(
    known: dict[tuple[str, int], Adapting],
    bench: Bench,
    entrant: Entrant,
    setting: Setting,
) -> Adapting:
    """Measure once what differs in its rate alone: that is not a question of size."""
    knobs = {k: v for k, v in entrant.choice.knobs.items() if k not in ("lr", "tuning")}
    key = (f"{entrant.choice.name} {knobs}", id(setting))
    if key not in known:
        known[key] = Adapting.measured(bench, entrant, setting)
    return known[key]


def _tuning(bench: Bench, entrant: Entrant, here: Adapting) -> Iterator[Need]:
    """Yield what it takes to tune a rate, and to fix the threshold with a tuned one.

    Rates are tuned on tasks of one replicate; an equal budget names their number.
    """
    budget = bench.spec.budget
    found = here.need("tuning", "tuning_tasks", budget.tuning_tasks, 1)
    if bench.tunes_first(entrant):
        if tuning_tasks(budget, entrant.choice) != budget.tuning_tasks:
            whole = here.need("tuning", "task_evaluations", budget.task_evaluations, 1)
            found = whole.shared(RATES)
        if not budget.threshold:
            yield here.need("threshold", "", THRESHOLD_TASKS, 1)
    yield found
