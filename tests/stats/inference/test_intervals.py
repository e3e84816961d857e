"""Intervals: closed forms, scipy, and the share of times that they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from engine.stats.inference.comparison import improvement_probability
from engine.stats.inference.intervals import mean_band, mean_interval
from engine.stats.inference.mean_ratio import log_ratio
from engine.stats.inference.profiles import holm, holm_levels, performance_profile


def _rows(seed: int, shape: tuple[int, ...] = (8, 8)) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape)


def test_the_interval_is_students_over_replicate_means() -> None:
    rows = _rows(0)
    means = rows.mean(1)
    low, high = stats.t.interval(0.95, 7, means.mean(), stats.sem(means))
    found = mean_interval(rows)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.n == 8


def test_one_replicate_has_a_mean_and_no_interval() -> None:
    found = mean_interval(_rows(0, (1, 8)))
    assert np.isfinite(found.mean)
    assert np.isnan([found.low, found.high]).all()


def test_missing_tasks_are_left_out_of_their_replicates_mean_only() -> None:
    rows = np.array([[1.0, np.nan], [3.0, 5.0], [np.nan, np.nan]])
    found = mean_interval(rows)
    assert (found.mean, found.n) == (2.5, 2)


def test_a_geometric_mean_survives_an_exact_zero() -> None:
    assert mean_interval(np.array([[1e-4], [1.0]]), log=True).mean == pytest.approx(
        1e-2
    )
    assert mean_interval(np.zeros((2, 2)), log=True).mean == pytest.approx(1e-12)


def test_a_band_is_an_interval_at_every_position() -> None:
    rows = _rows(1, (8, 4, 3))
    band = mean_band(rows)
    alone = mean_interval(rows[..., 2])
    assert (band.mean[2], band.low[2], band.high[2]) == pytest.approx(alone[:3])


def test_a_ratio_and_its_inverse_mirror_each_other() -> None:
    first, second = np.exp(_rows(7)), np.exp(_rows(8))
    there, back = log_ratio(first, second), log_ratio(second, first)
    assert there.mean * back.mean == pytest.approx(1.0)
    assert there.low * back.high == pytest.approx(1.0)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_a_ratio_interval_holds_the_true_speed_up(spread: float) -> None:
    draw = np.random.default_rng(9)
    held = 0
    for _ in range(60):
        shared = draw.normal(0, 0.5, (8, 8))
        mine = draw.normal(0, spread, (8, 1)) + draw.normal(0, 0.2, (8, 8))
        other = draw.normal(0, spread, (8, 1)) + draw.normal(0, 0.2, (8, 8))
        found = log_ratio(0.5 * np.exp(shared + mine), np.exp(shared + other))
        held += found.low <= 0.5 <= found.high
    assert held >= 53


def test_improvement_is_mann_whitneys_share_when_pairs_do_not_matter() -> None:
    first, second = _rows(1, (1, 400)), _rows(2, (1, 400)) + 0.5
    u = stats.mannwhitneyu(second[0], first[0]).statistic / 400**2
    assert improvement_probability(first, second) == pytest.approx(u, abs=0.05)
    assert improvement_probability(first, first) == 0.5


def test_a_profile_counts_diverged_tasks_at_no_level() -> None:
    rows = np.array([[1.0, np.nan], [2.0, 3.0]])
    assert performance_profile(rows, np.array([0.0, 1.0, 2.0, 9.0])).mean.tolist() == [
        0.0,
        0.25,
        0.5,
        0.75,
    ]


def test_holm_is_the_textbook_example_and_ignores_what_was_not_tested() -> None:
    adjusted = holm(np.array([0.01, np.nan, 0.005, 0.03]))
    assert adjusted[[0, 2, 3]] == pytest.approx([0.02, 0.015, 0.03])
    assert np.isnan(adjusted[1])


def test_holm_never_ranks_a_larger_p_before_a_smaller_one() -> None:
    p = np.array([0.02, 0.021, 0.9])
    assert holm(p) == pytest.approx([0.06, 0.06, 0.9])


def test_holm_keeps_any_false_claim_at_five_percent() -> None:
    p = np.random.default_rng(0).random((4000, 6))
    false = [(holm(row) < 0.05).any() for row in p]
    assert np.mean(false) == pytest.approx(0.05, abs=0.012)


def test_a_test_is_below_its_level_just_where_its_adjusted_p_is_below_alpha() -> None:
    draw = np.random.default_rng(0)
    for _ in range(200):
        p = draw.random(8) ** 4
        p[draw.random(8) < 0.2] = np.nan
        rejected = p <= holm_levels(p, 0.05)
        assert rejected.tolist() == (holm(p) <= 0.05).tolist()
