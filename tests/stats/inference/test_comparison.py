"""Comparison: interval, p-value and equality say the same; scipy where it can."""

import numpy as np
import pytest
from scipy import stats

from engine.stats.inference.comparison import (
    Comparison,
    compare_over_replicates,
    compare_over_tasks,
)
from engine.stats.inference.forecast import replicates_needed, round_up_plainly

ALPHAS = (0.3, 0.05, 0.01, 0.05 / 60, 1e-5)


def _compare(
    seed: int, shift: float = 0.3, shape: tuple[int, int] = (8, 8)
) -> Comparison:
    gaps = np.random.default_rng(seed).normal(shift, 1, shape)
    return compare_over_replicates(gaps, np.zeros(shape))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_an_interval_leaves_out_zero_just_where_p_is_at_most_alpha(
    alpha: float,
) -> None:
    for seed in range(40):
        found = _compare(seed, 0.2 + 0.05 * seed)
        low, high = found.interval(alpha)
        assert (low > 0 or high < 0) == (found.p() <= alpha)
        low, high = found.interval(found.p() * (1 + 1e-9))
        assert low > 0 or high < 0


@pytest.mark.parametrize("alpha", ALPHAS)
def test_an_interval_is_inside_the_margin_just_where_p_equal_is_at_most_alpha(
    alpha: float,
) -> None:
    for seed in range(40):
        found, margin = _compare(seed, 0.1), 0.04 * seed
        low, high = found.interval(alpha)
        assert (-margin < low and high < margin) == (found.p_equal(margin) <= alpha)


def test_intervals_widen_as_alpha_falls() -> None:
    widths = [np.subtract(*_compare(1).interval(a)[::-1]) for a in np.logspace(-7, 0)]
    assert np.all(np.diff(widths) <= 1e-12)


def test_an_interval_is_never_narrower_than_students() -> None:
    for seed in range(20):
        gaps = np.random.default_rng(seed).normal(0, 1, (8, 8))
        found = compare_over_replicates(gaps, np.zeros_like(gaps))
        low, high = stats.t.interval(0.95, 7, gaps.mean(), stats.sem(gaps.mean(1)))
        assert found.interval(0.05)[0] <= low + 1e-12
        assert found.interval(0.05)[1] >= high - 1e-12


def test_two_equal_learners_are_equal_at_any_level() -> None:
    rows = np.random.default_rng(0).normal(size=(8, 8))
    found = compare_over_replicates(rows, rows)
    assert found.interval(1e-9) == (0.0, 0.0)
    assert (found.p(), found.p_equal(0.1), found.improvement) == (1.0, 0.0, 0.5)


def test_a_constant_difference_is_as_certain_as_its_signs() -> None:
    for n in (2, 8):
        found = compare_over_replicates(np.full((n, 3), 0.1), np.zeros((n, 3)))
        signs = stats.binomtest(n, n).pvalue
        assert (found.p(), found.p_equal(0.2)) == (signs, signs)
        assert found.p_equal(0.05) == 1.0
        assert found.interval(signs) == pytest.approx((0.1, 0.1))
        assert np.isnan(found.interval(0.99 * signs)).all()


def test_one_replicate_has_a_mean_and_no_interval() -> None:
    found = compare_over_replicates(np.ones((1, 4)), np.zeros((1, 4)))
    assert found.mean == 1.0
    assert np.isnan([*found.interval(0.05), found.p(), found.p_equal(1.0)]).all()


def test_over_symmetric_tasks_it_is_students_test() -> None:
    half = np.random.default_rng(1).normal(size=(1, 200))
    gaps = np.concatenate([half, -half]) + 0.1
    found = compare_over_tasks(gaps, np.zeros_like(gaps))
    known = stats.ttest_1samp(gaps.ravel(), 0.0)
    assert found.p() == pytest.approx(known.pvalue)
    assert found.interval(0.01) == pytest.approx(known.confidence_interval(0.99))
    assert (found.n_units, found.n_replicates, found.n_tasks) == (400, 2, 200)


def test_a_pair_with_a_missing_number_is_refused() -> None:
    with pytest.raises(ValueError, match="worst value"):
        compare_over_replicates(np.array([[np.nan]]), np.array([[1.0]]))
    with pytest.raises(ValueError, match="paired"):
        compare_over_tasks(np.zeros((2, 2)), np.zeros((2, 3)))


def test_the_forecast_is_the_size_at_which_four_in_five_decide() -> None:
    gaps = np.random.default_rng(3).normal(0.45, 1, (16, 1))
    more = replicates_needed(compare_over_replicates(gaps, 0 * gaps), 0.0, 0.05)
    assert more is not None
    size, spread = abs(gaps.mean()), gaps.std(ddof=1)
    again = np.random.default_rng(4).normal(size, spread, (2000, 16 + more))
    rate = np.mean(stats.ttest_1samp(again, 0.0, axis=1).pvalue < 0.05)
    assert 0.75 < rate < 0.95


def test_the_forecast_is_silent_where_nothing_would_help() -> None:
    flat = np.random.default_rng(5).normal(0.0, 1, (16, 8))
    found = compare_over_replicates(flat - flat.mean() + 1e-3, 0 * flat)
    assert replicates_needed(found, 2e-3, 0.05) is None
    # About 500 more would decide it; a run holds 512, and here are 200.
    rare = np.tile([1.0, -1.0], 100)[:, None] + 0.115
    assert replicates_needed(compare_over_replicates(rare, 0 * rare), 0.0, 0.05) is None
    assert replicates_needed(_compare(0, shape=(1, 8)), 0.1, 0.05) is None


def test_counts_are_rounded_up_to_one_digit() -> None:
    counts = [round_up_plainly(n) for n in (1, 9, 10, 11, 95, 450)]
    assert counts == [1, 9, 10, 20, 100, 500]
