"""Interface of a judge: from a learner's traces to scores and summaries."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from torch import Tensor

from engine.contract.kinds import ByKind
from engine.protocol import TaskBatch, TraceSegment

Arrays = dict[str, np.ndarray]


class TuningScores(NamedTuple):
    """What a rate is chosen by, at each point at which a learner could have stopped.

    Args:
        error: Less is better; finite; shape (member, point).
        loss: Breaks ties; finite; shape (member, point).
        steps: What has been spent at each point: inner steps, or episodes.
    """

    error: np.ndarray
    loss: np.ndarray
    steps: tuple[int, ...]


class Judge(ABC):
    """Turns traces into validation scores and per-task summaries.

    The metrics, and which one decides, are defined in the kind's record
    (`engine.contract.kinds`).
    """

    @abstractmethod
    def score(self, trace: TraceSegment, tasks: TaskBatch) -> Tensor:
        """Return the validation score; lower is better; shape (member,)."""

    @abstractmethod
    def examples(self, tasks: TaskBatch) -> int:
        """Return the number of examples that meta-training sees per task; 0 if none."""

    @abstractmethod
    def support_length(self, tasks: TaskBatch) -> float:
        """Return the examples, of each class, that a task reveals; 0 if none."""

    @abstractmethod
    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces to store; NaN from where a task diverged."""

    @abstractmethod
    def summaries(
        self, traces: Arrays, trace: TraceSegment, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return one number per task for each metric.

        Args:
            traces: By metric; shape (replicate, task, step, …).
            trace: A segment with the recorded steps and the answers' positions.
            tasks: The tasks that the traces were measured on.
            level: The loss threshold, for kinds that have one.

        Returns:
            By metric; shape (replicate, task).
        """

    @abstractmethod
    def gradients(self, trace: TraceSegment, tasks: TaskBatch) -> np.ndarray:
        """Return the gradients (or evaluations) that each task's test took.

        Returns:
            Shape (member,).
        """

    def tuning_horizon(self, horizon: int) -> int:
        """Return the horizon of the tasks on which rates are tuned after training."""
        return horizon

    def tuning_scores(self, trace: TraceSegment, tasks: TaskBatch) -> TuningScores:
        """Return the scores of a rate, for kinds whose rates are tuned last."""
        raise NotImplementedError(f"{type(self).__name__} tunes no rate after training")


JUDGES: ByKind[Judge] = ByKind("engine.judges")
