"""Rare failures: the bound is the binomial's, and a mean that hangs on one is named."""

import numpy as np
import pytest
from scipy import stats

from engine.stats.inference.rare_failures import find_rare_failures, unseen_rate


@pytest.mark.parametrize("n", [1, 8, 64])
def test_a_failure_of_the_unseen_rate_is_missed_in_one_of_twenty_runs(n: int) -> None:
    assert stats.binom.pmf(0, n, unseen_rate(n)) == pytest.approx(0.05)


def test_a_mean_that_one_replicate_carries_is_named() -> None:
    rows = np.full((8, 4), -0.1)
    rows[5] = 12.0
    found = find_rare_failures(rows, np.zeros_like(rows))
    assert (found.extreme, found.carries, found.opposed) == (5, True, True)
    assert found.without == pytest.approx(-0.1)
    assert found.improvement == 7 / 8


def test_an_even_difference_hangs_on_no_replicate() -> None:
    rows = 1.0 + 0.3 * np.random.default_rng(0).normal(size=(8, 4))
    found = find_rare_failures(rows, np.zeros_like(rows))
    assert not found.carries and not found.opposed
    mirrored = find_rare_failures(np.zeros_like(rows), rows)
    assert mirrored.without == pytest.approx(-found.without)
    assert not mirrored.carries and not mirrored.opposed


def test_equal_rows_and_a_single_replicate_warn_of_nothing_but_what_is_unseen() -> None:
    same = find_rare_failures(np.ones((8, 2)), np.ones((8, 2)))
    assert not same.carries and not same.opposed
    single = find_rare_failures(np.ones((1, 4)), np.zeros((1, 4)))
    assert np.isnan(single.without) and not single.carries
    assert single.unseen == pytest.approx(0.95)


@pytest.mark.parametrize(("others", "carries"), [(0.4, True), (0.6, False)])
def test_a_replicate_may_bring_half_of_the_mean(others: float, carries: bool) -> None:
    means = np.full((8, 1), others)
    means[2] = 8 - 7 * others  # so that the mean is 1
    assert find_rare_failures(means, np.zeros((8, 1))).carries == carries
