"""The tasks of meta-training, drawn for several meta-steps at once where that pays."""

import time
from collections.abc import Iterator
from dataclasses import replace

from engine.algorithms.compiled_graphs import tensors_of
from engine.protocol import EpisodeBatch, Plan, TaskBatch
from engine.runner.context import LearnerEntry, RunContext

AHEAD = 16  # meta-steps; beyond them, a draw's fixed cost no longer shows
AHEAD_BYTES = 2**25  # what is drawn ahead stays within 32 MB
AHEAD_SECONDS = 0.25  # no note is sent meanwhile


class TrainingTasks:
    """Draws the tasks of each meta-step of one learner.

    Args:
        context: The run.
        entry: The learner, which may see its tasks in a form of its own.
        plan: How many tasks a step has, and how many steps share them.
        ahead: Whether episodes of several steps are drawn at once. Each task has its
            own stream, so the numbers are the same.
    """

    def __init__(
        self,
        context: RunContext,
        entry: LearnerEntry,
        plan: Plan,
        *,
        ahead: bool = False,
    ) -> None:
        self.context, self.learner = context, entry.learner
        self.plan, self.ahead = plan, ahead
        self._drawn: dict[int, TaskBatch] = {}

    def __call__(self, step: int) -> TaskBatch:
        """Return the tasks of a meta-step; the segments of one horizon share them."""
        lesson = step // self.plan.segments
        if lesson not in self._drawn:
            self._drawn = dict(self._draw(lesson))
        rng = self.context.rng.child("train", "view", step)
        return self.learner.training_tasks(self._drawn[lesson], rng)

    def _draw(self, lesson: int) -> Iterator[tuple[int, TaskBatch]]:
        """Yield the tasks of a lesson, and of those after it that are drawn with it."""
        clock = time.perf_counter()
        first = self.draw_lesson(lesson)
        taken = time.perf_counter() - clock
        yield lesson, first
        if not (self.ahead and isinstance(first, EpisodeBatch)):
            return
        size = sum(tensor.nbytes for tensor in tensors_of(first))
        # The clock decides how many are drawn at once, never which.
        fitting = min(AHEAD_BYTES // size, AHEAD_SECONDS // taken)
        count = int(min(AHEAD, fitting, self._lessons - lesson)) - 1
        if count > 0:
            yield from self._draw_many(range(lesson + 1, lesson + 1 + count))

    @property
    def _lessons(self) -> int:
        return -(-self.plan.steps // self.plan.segments)

    def draw_lesson(self, lesson: int) -> TaskBatch:
        """Draw the tasks that the segments of one horizon share, as they are."""
        context = self.context
        path = ("train", "tasks", lesson)
        return context.draw(context.setting, "train", path, self.plan.tasks_per_step)

    def _draw_many(self, lessons: range) -> Iterator[tuple[int, TaskBatch]]:
        """Draw the episodes of several lessons as one batch, and cut it."""
        context, replicates = self.context, self.context.spec.replicates
        rngs = [
            stream.child(task)
            for lesson in lessons
            for stream in context.streams("train", "tasks", lesson)
            for task in range(self.plan.tasks_per_step)
        ]
        many = context.batch_spec._replace(replicates=replicates * len(lessons))
        drawn = context.setting.family.draw(context.setting, rngs, "train", many)
        assert isinstance(drawn, EpisodeBatch)
        each = drawn.members // len(lessons)
        for i, lesson in enumerate(lessons):
            tasks = drawn.take(range(i * each, (i + 1) * each))
            yield lesson, replace(tasks, replicates=replicates)
