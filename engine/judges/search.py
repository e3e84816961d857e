"""Searches are judged by how far their best architecture is from the best there is."""

import numpy as np
from torch import Tensor

from engine.algorithms.search.best_possible_scores import ceilings, scores_of
from engine.contract.kinds import SEARCH
from engine.judges.judge import JUDGES, Arrays, Judge
from engine.protocol import Spaces, Stretch, TaskBatch
from engine.stats.summaries.search import summarize_searches


class SpaceJudge(Judge):
    """The mean regret over the evaluations decides."""

    def score(self, found: Stretch) -> Tensor:
        """Return the mean regret over the evaluations; shape (member,)."""
        return found.traces["regret"].mean(1)

    def examples(self, tasks: TaskBatch) -> int:
        """Return 0: architectures are counted, not examples."""
        return 0

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces as they are; gaps are already in them."""
        return traces

    def summaries(
        self, traces: Arrays, found: Stretch, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return regret, score, evaluations to the goal and their like."""
        assert isinstance(tasks, Spaces)
        shape = traces["regret"].shape[:2]
        goal = levels(tasks).reshape(shape)
        return summarize_searches(traces, goal, tasks.space.size)

    def gradients(self, found: Stretch, tasks: TaskBatch) -> int:
        """Return how many architectures one search trains at most."""
        assert isinstance(tasks, Spaces)
        return tasks.horizon


def levels(tasks: Spaces) -> np.ndarray:
    """Return the regret at which each search has found a good architecture.

    Returns:
        Shape (member,): the regret of the architecture that only the goal's share of
        the space exceeds; NaN where scores are not known before training.
    """
    capped = bool(tasks.objective.property)
    tops = ceilings(tasks, capped=capped)
    found = {int(w): _level(tasks, int(w), capped) for w in np.unique(tasks.which)}
    return tops - np.array([found[int(w)] for w in tasks.which])


def _level(tasks: Spaces, which: int, capped: bool) -> float:
    table = scores_of(tasks, which, capped=capped)
    if table is None or not len(table):
        return float("nan")
    return float(np.quantile(table, 1.0 - tasks.goal, method="higher"))


JUDGES[SEARCH.name] = SpaceJudge()
