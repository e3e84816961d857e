"""The skew-corrected mean: Hall's formula, its limits, and its level in simulation."""

import numpy as np
import pytest
from scipy import stats

from engine.stats.inference.skewed_mean import (
    LEAST_SLOPE,
    SKEWNESS_FACTOR,
    SkewedMean,
    estimate_mean,
    p_values_of_means,
)


def test_the_bend_is_halls_with_the_unbiased_third_moment() -> None:
    values = np.random.default_rng(0).exponential(size=12)
    third = stats.kstat(values, 3) / values.std(ddof=1) ** 3
    expected = SKEWNESS_FACTOR * third / (3 * 12**0.5)
    assert estimate_mean(values).bend == pytest.approx(expected)


def test_p_is_students_of_halls_polynomial_where_it_is_the_larger() -> None:
    found = SkewedMean(mean=-2.0, error=1.0, bend=0.1, n=20)
    t, b = -2.0, 0.1
    bent = t + b * t**2 + b**2 * t**3 / 3 + b / 2
    assert found.p() == pytest.approx(2 * stats.t.sf(abs(bent), 19))
    # On the other side the bent t is larger, and Student's own decides.
    other = found._replace(mean=2.0)
    assert other.p() == pytest.approx(2 * stats.t.sf(2.0, 19))


def test_without_skewness_it_is_students_interval() -> None:
    values = np.array([-3.0, -1, 0, 1, 3]) + 0.5
    known = stats.ttest_1samp(values, 0.0)
    assert estimate_mean(values).p() == pytest.approx(known.pvalue)
    ends = known.confidence_interval(0.9)
    assert estimate_mean(values).interval(0.1) == pytest.approx(ends)


def test_strong_evidence_suffices_on_the_flat_side_too() -> None:
    mild = SkewedMean(mean=-10.0, error=1.0, bend=0.5, n=8)
    p = [mild._replace(mean=-t).p() for t in (2.0, 5.0, 10.0, 20.0, 40.0)]
    assert np.all(np.diff(p) < 0)
    assert p[-1] < 1e-3
    slope = (stats.t.isf(p[-1] / 2, 7) - stats.t.isf(p[-2] / 2, 7)) / 20.0
    assert slope == pytest.approx(LEAST_SLOPE)


def test_mirrored_values_give_the_mirrored_interval() -> None:
    values = np.random.default_rng(1).lognormal(size=8)
    low, high = estimate_mean(values).interval(0.02)
    assert estimate_mean(-values).interval(0.02) == pytest.approx((-high, -low))


def test_many_means_at_once_are_each_ones_own() -> None:
    values = np.random.default_rng(2).lognormal(size=(5, 9)) - 1.0
    each = [estimate_mean(row).p() for row in values]
    assert p_values_of_means(values) == pytest.approx(each)


def test_two_and_three_units_have_an_interval() -> None:
    assert np.isfinite(estimate_mean(np.array([1.0, 2.0])).interval(0.05)).all()
    assert np.isfinite(estimate_mean(np.array([1.0, 2.0, 9.0])).interval(0.05)).all()


@pytest.mark.parametrize("units", [16, 64])
def test_skewed_units_reject_a_true_mean_in_five_percent_at_most(units: int) -> None:
    draw = np.random.default_rng(3)
    values = draw.lognormal(0, 1, (4000, units)) - np.exp(0.5)
    student = stats.ttest_1samp(values, 0.0, axis=1).pvalue
    assert (student < 0.05).mean() > 0.08
    assert (p_values_of_means(values) < 0.05).mean() < 0.05
