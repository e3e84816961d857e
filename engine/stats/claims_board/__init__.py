"""The claims board: judges that turn the runs of a study into its verdict.

A judge uses only its protocol and the numbers; what would support a claim was written
down with the study, before anything was measured.
"""

from collections.abc import Callable, Sequence

from engine.stats.claims_board import (
    agents,
    few_shot,
    few_shot_amounts,
    optimizers,
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
    **{name: few_shot.pair_judge(name) for name in few_shot.PAIRS},
    "diversity": few_shot_amounts.judge_diversity,
    "scarce_data": few_shot_amounts.judge_scarce_data,
    "shifted_tasks": optimizers.judge_shifted_tasks,
    "steady_gradients": optimizers.judge_steady_gradients,
    "plain_sgd": optimizers.judge_plain_sgd,
    **{name: agents.agent_judge(name) for name in agents.AGENT_PAIRS},
}


def judge_study(name: str, runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge a study by its runs.

    Args:
        name: Name of the study's judge.
        runs: All of its finished runs.

    Returns:
        The verdict with its estimate and evidence.

    Raises:
        KeyError: If no judge has that name.
    """
    return STUDY_JUDGES[name](runs)
