"""Episodes are judged by the answers to their queries after adaptation."""

from torch import Tensor

from engine.contract.kinds import FEW_SHOT
from engine.judges.judge import JUDGES, Arrays, Judge
from engine.protocol import EpisodeBatch, TaskBatch, TraceSegment
from engine.stats.summaries.few_shot import summarize_episodes


class FewShotJudge(Judge):
    """The share of wrong answers decides, or the squared error."""

    def score(self, trace: TraceSegment) -> Tensor:
        """Return the error at the learner's own step; shape (member,)."""
        return error_trace(trace)[:, trace.answer_index]

    def examples(self, tasks: TaskBatch) -> int:
        """Return support and queries: both are shown in meta-training."""
        assert isinstance(tasks, EpisodeBatch)
        return tasks.support.count + tasks.query.count

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces as they are; gaps are already in them."""
        return traces

    def summaries(
        self, traces: Arrays, trace: TraceSegment, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return error, accuracy and gain of each task."""
        return summarize_episodes(traces, trace.answer_index)

    def gradients(self, trace: TraceSegment, tasks: TaskBatch) -> int:
        """Return the inner steps that the answer took."""
        return trace.steps[trace.answer_index]


def error_trace(trace: TraceSegment) -> Tensor:
    """Return the share of wrong answers, or the squared error, at each step."""
    if "query_accuracy" in trace.traces:
        return 1.0 - trace.traces["query_accuracy"]
    return trace.traces["query_mse"]


JUDGES[FEW_SHOT.name] = FewShotJudge()
