"""The few-shot judge: errors on the queries after adaptation."""

import numpy as np
import torch
from torch import Tensor

from engine.contract.kinds import FEW_SHOT
from engine.judges.judge import JUDGES, Arrays, Judge, TuningScores
from engine.protocol import EpisodeBatch, TaskBatch, TraceSegment
from engine.stats.task_metrics.few_shot import summarize_episodes

WORST = 1e2  # stands for a NaN or infinite error or loss where rates are tuned


class FewShotJudge(Judge):
    """Scores by error rate, or by squared error for regression."""

    def score(self, trace: TraceSegment, tasks: TaskBatch) -> Tensor:
        """Return the error at each member's answer step; shape (member,)."""
        return answer_errors(trace)

    def examples(self, tasks: TaskBatch) -> int:
        """Return support plus queries; they are the same examples where online."""
        assert isinstance(tasks, EpisodeBatch)
        return tasks.support.count + (0 if tasks.online else tasks.query.count)

    def support_length(self, tasks: TaskBatch) -> float:
        """Return the size of the support per class, or of a function."""
        assert isinstance(tasks, EpisodeBatch)
        return tasks.support.count / tasks.outputs

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces unchanged; diverged tasks are NaN already."""
        return traces

    def summaries(
        self, traces: Arrays, trace: TraceSegment, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return error, accuracy and gain of each task; shape (replicate, task)."""
        answers = np.array(trace.answer_indices).reshape(tasks.replicates, -1)
        return summarize_episodes(traces, answers)

    def gradients(self, trace: TraceSegment, tasks: TaskBatch) -> np.ndarray:
        """Return the number of inner steps before each answer."""
        return np.array([trace.steps[index] for index in trace.answer_indices])

    def tuning_horizon(self, horizon: int) -> int:
        """Return 0: steps beyond the learner's own are not to choose from."""
        return 0

    def tuning_scores(self, trace: TraceSegment, tasks: TaskBatch) -> TuningScores:
        """Return error and query loss after every inner step that is reported."""
        error = _replace_nonfinite(error_trace(trace))
        loss = error
        if "query_loss" in trace.traces:
            loss = _replace_nonfinite(trace.traces["query_loss"])
        return TuningScores(error, loss, trace.steps)


def _replace_nonfinite(values: Tensor) -> np.ndarray:
    # Clamped as well: one huge finite value would dominate the mean.
    kept = torch.nan_to_num(values, WORST, WORST, WORST).clamp(max=WORST)
    return kept.double().cpu().numpy()


def answer_errors(trace: TraceSegment) -> Tensor:
    """Return the error on the queries at each member's answer; shape (member,)."""
    errors = error_trace(trace)
    return errors[range(len(errors)), trace.answer_indices]


def error_trace(trace: TraceSegment) -> Tensor:
    """Return the error on the queries at each recorded step.

    Args:
        trace: With `query_accuracy` or `query_mse`; shape (member, step).

    Returns:
        Error rate from 0 to 1, or mean squared error; shape (member, step).
    """
    if "query_accuracy" in trace.traces:
        return 1.0 - trace.traces["query_accuracy"]
    return trace.traces["query_mse"]


JUDGES[FEW_SHOT.name] = FewShotJudge()
