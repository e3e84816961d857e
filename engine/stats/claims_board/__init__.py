"""The claims board: the runs of a study in, its verdict out, whichever it is.

A judge knows nothing but its protocol and the numbers; what would count for a sentence
was written down with the study, before anything was measured.
"""

from collections.abc import Callable, Sequence

from engine.stats.claims_board import (
    patterns_and_overhead,
    savings,
    space_growth,
    task_similarity,
)
from engine.stats.claims_board.study_verdict import FinishedRun, StudyVerdict

__all__ = ["STUDY_JUDGES", "FinishedRun", "StudyVerdict", "judge_study"]

STUDY_JUDGES: dict[str, Callable[[Sequence[FinishedRun]], StudyVerdict]] = {
    "search_time": savings.judge_search_time,
    "quality": savings.judge_quality,
    "cost": savings.judge_cost,
    "near_domains": task_similarity.judge_near_domains,
    "adaptation": task_similarity.judge_adaptation,
    "patterns": patterns_and_overhead.judge_patterns,
    "growing_space": space_growth.judge_growing_space,
    "overhead": patterns_and_overhead.judge_overhead,
    "memory": patterns_and_overhead.judge_memory,
}


def judge_study(name: str, runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge a study by its runs.

    Args:
        name: Of the study.
        runs: All of its runs, finished.

    Raises:
        KeyError: If no judge has that name.
    """
    return STUDY_JUDGES[name](runs)
