"""What a judge must say of a learner's traces."""

from abc import ABC, abstractmethod

import numpy as np
from torch import Tensor

from engine.contract.kinds import ByKind
from engine.protocol import TaskBatch, TraceSegment

Arrays = dict[str, np.ndarray]


class Judge(ABC):
    """Turns traces into scores and per-task numbers.

    Which metrics these are, and when they decide, stands in the kind's record.
    """

    @abstractmethod
    def score(self, trace: TraceSegment) -> Tensor:
        """Return what validation goes by, less being better; shape (member,)."""

    @abstractmethod
    def examples(self, tasks: TaskBatch) -> int:
        """Return how many examples a task shows to who learns on it; 0 if unsaid."""

    @abstractmethod
    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces as they are kept, a gap where a task diverged."""

    @abstractmethod
    def summaries(
        self, traces: Arrays, trace: TraceSegment, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return one number a task for each metric; axes (replicate, task).

        Args:
            traces: Axes (replicate, task, step, …).
            trace: Says which steps they are of.
            tasks: What they were measured on.
            level: The threshold, where there is one.
        """

    @abstractmethod
    def gradients(self, trace: TraceSegment, tasks: TaskBatch) -> int:
        """Return how many gradients one task's test took."""


JUDGES: ByKind[Judge] = ByKind("engine.judges")
