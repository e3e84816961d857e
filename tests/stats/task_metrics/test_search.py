"""Numbers of single searches, by hand."""

from typing import Any

import numpy as np
import pytest

from engine.stats.task_metrics.search import summarize_searches

NAN = float("nan")


def summary(regret: list[float], goal: float = 0.1, **traces: Any) -> dict[str, float]:
    """Summarize one search of a space of ten."""
    steps = np.arange(1.0, len(regret) + 1)
    given = {
        "regret": regret,
        "score": 1.0 - np.array(regret),
        "architecture": steps,
        "spent": 2 * steps,
    }
    rows = {name: np.array([[row]]) for name, row in (given | traces).items()}
    found = summarize_searches(rows, np.array([[goal]]), 10)
    return {name: float(row[0, 0]) for name, row in found.items()}


def test_the_goal_is_reached_at_the_first_evaluation_that_is_as_good() -> None:
    found = summary([0.5, 0.3, 0.1, 0.1, 0.0])
    assert found["evaluations_to_goal"] == 3 and found["reached"] == 1
    assert found["cost_to_goal"] == 6
    assert found["regret_area"] == pytest.approx(0.2)
    assert found["final_regret"] == 0.0 and found["final_score"] == 1.0


def test_a_goal_that_is_never_reached_counts_the_whole_horizon_and_cost() -> None:
    found = summary([0.5, 0.3, 0.2, 0.2])
    assert found["evaluations_to_goal"] == 4 and found["reached"] == 0
    assert found["cost_to_goal"] == 8


def test_a_goal_that_is_just_reached_is_not_missed_by_rounding() -> None:
    assert summary([0.5, 0.1 + 1e-12])["reached"] == 1
    assert summary([0.5, 0.1 + 1e-6])["reached"] == 0


def test_no_goal_is_spoken_of_where_scores_are_unknown() -> None:
    found = summary([0.5, 0.2], goal=NAN)
    assert not {"evaluations_to_goal", "reached", "cost_to_goal"} & found.keys()
    assert found["final_regret"] == 0.2


def test_repeats_are_counted_once_and_gaps_never() -> None:
    tried = [4.0, 7.0, 4.0, NAN, NAN]
    found = summary([0.5, 0.4, 0.4, 0.4, 0.4], architecture=tried)
    assert found["trained"] == 3
    assert found["repeated"] == pytest.approx(1 / 3)
    assert found["coverage"] == 0.2


def test_a_search_that_trained_nothing_has_seen_nothing() -> None:
    found = summary([1.0, 1.0], architecture=[NAN, NAN], score=[NAN, NAN])
    assert (found["trained"], found["coverage"], found["repeated"]) == (0, 0, 1)
    assert found["diverged"] == 1


def test_what_was_found_before_a_cap_held_is_not_the_goal() -> None:
    capped = [0.0, 0.0, 1.0, 1.0, 1.0]
    found = summary([0.0, 0.0, 0.4, 0.05, 0.05], capped=capped)
    assert found["evaluations_to_goal"] == 4 and found["reached"] == 1
    never = summary([0.0, 0.0, 0.4, 0.4, 0.4], capped=capped)
    assert never["reached"] == 0 and never["evaluations_to_goal"] == 5


def test_evaluations_to_recover_count_from_the_cap_of_each_search() -> None:
    regret = np.array([[[0.3, 0.2, 0.9, 0.2, 0.1], [0.3, 0.3, 0.3, 0.9, 0.4]]])
    capped = np.array([[[0, 0, 1, 1, 1], [0, 0, 0, 1, 1.0]]])
    steps = np.broadcast_to(np.arange(5.0), regret.shape)
    traces = {"regret": regret, "score": 1 - regret, "capped": capped}
    traces |= {"architecture": steps, "spent": steps}
    found = summarize_searches(traces, np.full((1, 2), 0.1), 10)
    assert found["recovery_steps"].tolist() == [[1, 2]]
    assert found["recovered"].tolist() == [[1, 0]]


def test_a_cap_from_the_start_is_nothing_to_recover_from() -> None:
    assert "recovered" not in summary([0.5, 0.2], capped=[1.0, 1.0])
    assert "recovered" not in summary([0.5, 0.2])
