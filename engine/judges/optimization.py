"""The optimization judge: how fast and how far the training loss falls."""

import numpy as np
from torch import Tensor

from engine.algorithms.optimization.training_loop import objective
from engine.contract.kinds import OPTIMIZATION
from engine.judges.judge import JUDGES, Arrays, Judge
from engine.protocol import OptimizationBatch, TaskBatch, TraceSegment
from engine.stats.task_metrics.optimization import cut_at_divergence, summarize_tasks


class OptimizationJudge(Judge):
    """Scores by the mean log loss over the steps; also counts steps to a threshold."""

    def score(self, trace: TraceSegment, tasks: TaskBatch) -> Tensor:
        """Return the mean over steps of the clamped log loss; shape (member,)."""
        return objective(trace.traces["loss"]).mean(1)

    def examples(self, tasks: TaskBatch) -> int:
        """Return 0: a learner sees losses, not examples."""
        return 0

    def support_length(self, tasks: TaskBatch) -> float:
        """Return 0: a task has no support."""
        return 0.0

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces, NaN from where a loss diverged."""
        return cut_at_divergence(traces)[0]

    def summaries(
        self, traces: Arrays, trace: TraceSegment, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return losses, area, steps to the threshold and divergence of each task."""
        assert isinstance(tasks, OptimizationBatch) and level is not None
        return summarize_tasks(traces, level, tasks.drift_start)

    def gradients(self, trace: TraceSegment, tasks: TaskBatch) -> np.ndarray:
        """Return the horizon: one gradient per step."""
        assert isinstance(tasks, OptimizationBatch)
        return np.full(tasks.members, tasks.horizon)


JUDGES[OPTIMIZATION.name] = OptimizationJudge()
