"""The claims board: the runs of a study in, its verdict out, whichever it is.

A judge knows nothing but its protocol and the numbers; what would count for a sentence
was written down with the study, before anything was measured.
"""

from collections.abc import Callable, Sequence

from engine.stats.claims_board import growth, savings, scaling, task_similarity
from engine.stats.claims_board.judgment import Judgment, Played

__all__ = ["JUDGES", "Judgment", "Played", "judged"]

JUDGES: dict[str, Callable[[Sequence[Played]], Judgment]] = {
    "search_time": savings.search_time,
    "quality": savings.quality,
    "cost": savings.cost,
    "near_domains": task_similarity.near_domains,
    "adaptation": task_similarity.adaptation,
    "patterns": scaling.patterns,
    "growing_space": growth.growing_space,
    "overhead": scaling.overhead,
    "memory": scaling.memory,
}


def judged(name: str, runs: Sequence[Played]) -> Judgment:
    """Judge a study by its runs.

    Args:
        name: Of the study.
        runs: All of its runs, finished.

    Raises:
        KeyError: If no judge has that name.
    """
    return JUDGES[name](runs)
