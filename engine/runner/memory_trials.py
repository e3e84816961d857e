"""Measured memory of small trial runs, and how it grows with tasks and steps."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from engine.protocol import Meta, SearchBatch, Setting, TaskBatch
from engine.protocol.member_chunks import join_segments
from engine.runner.context import LearnerEntry, RunContext, draw_tasks
from engine.runner.memory_needs import MemoryNeed
from engine.runner.memory_trial_evaluator import NullEvaluator
from engine.runner.peak_memory import (
    byte_size,
    peak_array_bytes,
    peak_bytes,
    peak_tensor_bytes,
)

SPARE = 1.4  # factor for what allocators and kernels hold besides the tensors
SHORT, LONGER = 2, 4  # steps of the two trial runs
COPIES = 4  # of a learner's traces, while they are summarized


class Growth(NamedTuple):
    """Memory of a trial run, in bytes.

    Args:
        once: Independent of the number of tasks.
        task: Added by each task.
        step: Added by each task for each further step.
    """

    once: float
    task: float
    step: float

    def task_bytes(self, steps: int) -> float:
        """Return the bytes that a task adds over this many steps."""
        return self.task + self.step * max(0, steps - SHORT)


def measure_growth(
    context: RunContext, play: Callable[[int, int], object], steps: int, *, graph: bool
) -> Growth:
    """Measure memory for few tasks and steps, to extrapolate from.

    Args:
        context: The run; searches hold numpy arrays, other kinds of task only tensors.
        play: Runs with a number of tasks and of steps.
        steps: How many steps the real run takes.
        graph: Whether every step's intermediate tensors are held to the end.
    """
    numpy = context.kind.numpy
    peak = peak_bytes if numpy else peak_tensor_bytes
    short, longer = min(SHORT, steps), min(LONGER, steps)
    if numpy:
        play(1, 1)  # fills imports and caches, which are not the run's own memory
    one, two = (peak(lambda n=n: play(n, short)) for n in (1, 2))
    # Peaks are noisy by a few blocks; a task never frees memory.
    task, rise = max(0, two - one), 0.0
    if graph and longer > short:
        rise = (peak(lambda: play(1, longer)) - one) / (longer - short)
    return Growth(max(0.0, one - task), task, max(0.0, rise))


def draw_sample(context: RunContext, setting: Setting, tasks: int) -> TaskBatch:
    """Draw a few tasks of one replicate, to be measured.

    Args:
        context: The run.
        setting: What to draw from.
        tasks: How many.

    Returns:
        The tasks; a search that would train nets has a null evaluator.
    """
    place = context.batch_spec._replace(replicates=1)
    drawn = draw_tasks(setting, "train", context.streams("size")[:1], tasks, place)
    if (
        isinstance(drawn, SearchBatch)
        and drawn.evaluator.scores(drawn.sources[0]) is None
    ):
        return replace(drawn, evaluator=NullEvaluator(drawn.evaluator))
    return drawn


def drawing_bytes(context: RunContext, setting: Setting) -> float:
    """Return the peak bytes of drawing one more task of a setting."""
    return peak_array_bytes(lambda: draw_sample(context, setting, 2)) / 2


class AdaptationMemory(NamedTuple):
    """The memory of adapting to the tasks of a setting.

    Args:
        found: Of one chunk of members.
        data: Bytes to draw a task.
        row: Bytes of a task's traces per step.
        chunk: How many members are adapted at once.
        horizon: The setting's horizon, steps.
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
        """Measure it by adapting to one task and to two."""
        rows: dict[int, float] = {1: 0.0, 2: 0.0}

        def adapt(tasks: int, steps: int) -> None:
            batch = draw_sample(context, replace(setting, horizon=steps), tasks)
            meta = entry.learner.init(context.streams("init")[:1], batch)
            if not entry.learner.why_not(meta, batch):
                pieces = list(entry.learner.adapt(Meta(meta.weights, {}), batch))
                rows[tasks] = byte_size(join_segments(pieces).traces) / (steps + 1)

        found = measure_growth(context, adapt, setting.horizon, graph=False)
        chunk = draw_sample(context, setting, 1).chunk
        row = rows[2] - rows[1]
        return cls(found, drawing_bytes(context, setting), row, chunk, setting.horizon)

    def need(self, stage: str, field: str, count: int, replicates: int) -> MemoryNeed:
        """Return the need of a stage that adapts to tasks.

        Args:
            stage: Its name.
            field: The budget's field for the number of tasks; empty if it is fixed.
            count: Tasks per replicate.
            replicates: Replicates at the same time.
        """
        each = self.data + COPIES * self.row * (self.horizon + 1)
        sizes = (self.found.once, each, self.found.task)
        once, each, member = (SPARE * size for size in sizes)
        return MemoryNeed(
            stage, field, count, replicates, once, each, member, self.chunk
        )
