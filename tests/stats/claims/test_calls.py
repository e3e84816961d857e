"""A call and its interval say the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.stats.claims.calls import (
    BETTER,
    CANT_TELL,
    EQUAL,
    WORSE,
    call_from_interval,
)
from engine.stats.claims.lost_tasks import NONE_LOST, LostTasks, compare_lost_tasks
from engine.stats.claims.question import Question
from engine.stats.inference.comparison import compare_over_replicates
from tests.stats.made_up import HERE


def question(
    gaps: np.ndarray, margin: float = 0.05, lost: LostTasks = NONE_LOST
) -> Question:
    found = compare_over_replicates(gaps, np.zeros_like(gaps))
    return Question(
        *("mine", "other"),
        condition=HERE,
        metric="area",
        found=found,
        margin=margin,
        lost=lost,
        over="replicates",
        decisive=True,
    )


def redrawn(mean: float, seed: int = 0, sd: float = 1.0) -> np.ndarray:
    return mean + sd * np.random.default_rng(seed).standard_normal((8, 4))


@pytest.mark.parametrize(
    ("low", "high", "call"),
    [
        (-0.4, -0.2, BETTER),
        (0.2, 0.4, WORSE),
        (-0.04, 0.04, EQUAL),
        (0.01, 0.02, EQUAL),
        (-0.04, 0.06, CANT_TELL),
        (np.nan, np.nan, CANT_TELL),
    ],
)
def test_each_call_has_its_interval(low: float, high: float, call: str) -> None:
    assert call_from_interval(low, high, 0.05) == call


@given(st.integers(0, 40), st.floats(-2, 2), st.floats(1e-3, 0.5))
def test_a_question_is_answered_exactly_from_its_smallest_alpha_on(
    seed: int, mean: float, margin: float
) -> None:
    asked = question(redrawn(mean, seed, 0.3), margin)
    alpha = asked.smallest_alpha()
    assert asked.answer(min(1.0, 1.01 * alpha + 1e-3)).call != CANT_TELL or alpha == 1
    assert asked.answer(0.99 * alpha).call == CANT_TELL or alpha < 1e-3


def test_an_open_question_says_how_many_replicates_it_lacks() -> None:
    answer = question(redrawn(0.3)).answer(0.05)
    assert answer.call == CANT_TELL
    assert answer.more_replicates is not None
    assert question(redrawn(9.0)).answer(0.05).more_replicates is None


def test_learners_that_lose_tasks_are_never_equal_unless_they_lose_the_same() -> None:
    same, one = np.zeros((8, 4)), np.eye(8, 4)
    assert question(same).answer(0.05).call == EQUAL
    for other, call in ((one, EQUAL), (same, CANT_TELL), (one[::-1], CANT_TELL)):
        lost = compare_lost_tasks(one, other)
        assert question(same, lost=lost).answer(0.05).call == call
    everything = compare_lost_tasks(np.ones((8, 4)), np.ones((8, 4)))
    assert question(same, lost=everything).answer(0.05).call == CANT_TELL


def test_significantly_more_lost_tasks_decide_whatever_the_metric_says() -> None:
    ahead = redrawn(-9.0)
    lost = compare_lost_tasks(np.ones((8, 4)), np.zeros((8, 4)))
    answer = question(ahead, lost=lost).answer(0.05)
    assert (answer.call, answer.by_divergence) == (WORSE, True)
    few = compare_lost_tasks(np.eye(8, 4), np.zeros((8, 4)))
    answer = question(ahead, lost=few).answer(0.05)
    assert (answer.call, answer.by_divergence) == (BETTER, False)


def test_two_tests_share_the_level_and_one_that_cannot_reject_has_no_share() -> None:
    for units, level in ((0, 0.95), (6, 0.95), (7, 0.975)):
        mine = (np.arange(8) < units).astype(float)[:, None]
        lost = compare_lost_tasks(mine, np.zeros((8, 1)))
        answer = question(redrawn(0.3), lost=lost).answer(0.05)
        assert answer.level == pytest.approx(level)
        # p is 1/32 for 6 units: below 0.05, but the metric's test has spent that.
        assert answer.by_divergence == (units == 7)


def test_lost_tasks_are_tested_exactly() -> None:
    draw = np.random.default_rng(0)
    mine, other = (draw.integers(0, 2, (6, 3)).astype(float) for _ in range(2))
    gaps = mine.sum(1) - other.sum(1)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1)
    p = np.mean(np.abs(gaps @ signs) >= abs(gaps.sum()))
    assert compare_lost_tasks(mine, other).p == pytest.approx(p)
    assert np.isnan(compare_lost_tasks(np.ones((1, 8)), np.zeros((1, 8))).p)
