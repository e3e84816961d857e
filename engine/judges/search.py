"""The search judge: regret of the best architecture found."""

import numpy as np
from torch import Tensor

from engine.algorithms.search.best_possible_scores import (
    best_possible_scores,
    known_scores,
)
from engine.contract.kinds import SEARCH
from engine.judges.judge import JUDGES, Arrays, Judge
from engine.protocol import SearchBatch, TaskBatch, TraceSegment
from engine.stats.task_metrics.search import summarize_searches


class SearchJudge(Judge):
    """Scores by the mean regret over the evaluations."""

    def score(self, trace: TraceSegment, tasks: TaskBatch) -> Tensor:
        """Return the mean regret over the evaluations; shape (member,)."""
        return trace.traces["regret"].mean(1)

    def examples(self, tasks: TaskBatch) -> int:
        """Return 0: a search counts architectures, not examples."""
        return 0

    def support_length(self, tasks: TaskBatch) -> float:
        """Return 0: a task has no support."""
        return 0.0

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces unchanged; gaps are NaN already."""
        return traces

    def summaries(
        self, traces: Arrays, trace: TraceSegment, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return regret, score, evaluations to the goal, and more, of each search."""
        assert isinstance(tasks, SearchBatch)
        shape = traces["regret"].shape[:2]
        goal = goal_regrets(tasks).reshape(shape)
        return summarize_searches(traces, goal, tasks.space.size)

    def gradients(self, trace: TraceSegment, tasks: TaskBatch) -> np.ndarray:
        """Return the maximum number of architectures that one search trains."""
        assert isinstance(tasks, SearchBatch)
        return np.full(tasks.members, tasks.horizon)


def goal_regrets(tasks: SearchBatch) -> np.ndarray:
    """Return the regret at which each search has reached its goal.

    Args:
        tasks: The searches; `tasks.goal` is a share of the space, such as 0.01.

    Returns:
        The regret of the architecture that only this share of the space exceeds;
        NaN where scores are not known before training. Shape (member,).
    """
    capped = bool(tasks.objective.property)
    tops = best_possible_scores(tasks, capped=capped)
    # One quantile per task, not per member: a table may have many thousand rows.
    found = {
        int(w): _goal_score(tasks, int(w), capped) for w in np.unique(tasks.task_index)
    }
    return tops - np.array([found[int(w)] for w in tasks.task_index])


def _goal_score(tasks: SearchBatch, which: int, capped: bool) -> float:
    table = known_scores(tasks, which, capped=capped)
    if table is None or not len(table):
        return float("nan")
    # "higher": the goal is the score of a real architecture, never between two.
    return float(np.quantile(table, 1.0 - tasks.goal, method="higher"))


JUDGES[SEARCH.name] = SearchJudge()
