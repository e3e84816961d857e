"""Episodes are judged by the answers to their queries after adaptation."""

from torch import Tensor

from engine.contract.kinds import FEW_SHOT
from engine.judges.judge import JUDGES, Arrays, Judge
from engine.protocol import Episodes, Stretch, TaskBatch
from engine.stats.summaries.few_shot import summarize_episodes


class EpisodeJudge(Judge):
    """The share of wrong answers decides, or the squared error."""

    def score(self, found: Stretch) -> Tensor:
        """Return the error at the learner's own step; shape (member,)."""
        return error_trace(found)[:, found.chosen]

    def examples(self, tasks: TaskBatch) -> int:
        """Return support and queries: both are shown in meta-training."""
        assert isinstance(tasks, Episodes)
        return tasks.support.count + tasks.query.count

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces as they are; gaps are already in them."""
        return traces

    def summaries(
        self, traces: Arrays, found: Stretch, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return error, accuracy and gain of each task."""
        return summarize_episodes(traces, found.chosen)

    def gradients(self, found: Stretch, tasks: TaskBatch) -> int:
        """Return the inner steps that the answer took."""
        return found.at[found.chosen]


def error_trace(found: Stretch) -> Tensor:
    """Return the share of wrong answers, or the squared error, at each step."""
    if "query_accuracy" in found.traces:
        return 1.0 - found.traces["query_accuracy"]
    return found.traces["query_mse"]


JUDGES[FEW_SHOT.name] = EpisodeJudge()
