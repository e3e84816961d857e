"""How sure answers are: log-likelihoods, coverage and histograms, by closed forms."""

import numpy as np
import pytest
from scipy import stats

from engine.stats.array_types import Floats
from engine.stats.task_metrics.beliefs import (
    QUANTILE_BINS,
    WORST_NLL,
    summarize_beliefs,
)

DRAW = np.random.default_rng(7)
SOUND = np.zeros((2, 3))


def of_residuals(residual: Floats, variance: list[float]) -> dict[str, Floats]:
    return summarize_beliefs({"residual": residual}, None, SOUND, np.array(variance))


def test_values_without_a_density_get_a_normal_one_of_their_replicates_variance() -> (
    None
):
    residual = DRAW.normal(0.0, 2.0, (2, 3, 50))
    found = of_residuals(residual, [4.0, 0.25])
    for replicate, sd in enumerate((2.0, 0.5)):
        normal = stats.norm(0.0, sd)
        target = -residual[replicate]  # relative to what was predicted
        expected = -normal.logpdf(target).mean(1)
        np.testing.assert_allclose(
            found["nll"][replicate], np.minimum(expected, WORST_NLL)
        )
        low, high = normal.interval(0.9)
        inside = ((target >= low) & (target <= high)).mean(1)
        np.testing.assert_array_equal(found["interval_coverage"][replicate], inside)
        edges = np.linspace(0.0, 1.0, QUANTILE_BINS + 1)
        counts, _ = np.histogram(normal.cdf(target), edges)
        np.testing.assert_allclose(found["below_share"][replicate], counts / 150)
    np.testing.assert_array_equal(found["sharpness"], [[2.0] * 3, [0.5] * 3])


def test_a_learner_with_a_density_is_scored_by_its_own() -> None:
    below = np.full((2, 3, 4), 0.99)
    own = {"log_density": below * 0 - 1.5, "below": below, "sd": below * 0 + 0.3}
    found = summarize_beliefs(own, None, SOUND, None)
    assert (found["nll"] == 1.5).all() and (found["interval_coverage"] == 0).all()
    np.testing.assert_allclose(found["sharpness"], 0.3)
    assert (found["below_share"][:, -1] == 1).all()
    assert "component_spread" not in found
    several = own | {"component_sd": below}
    found = summarize_beliefs(several, None, SOUND, None)
    np.testing.assert_allclose(found["component_spread"], 0.99)


def test_one_diverged_episode_counts_with_the_cap_and_is_not_in_the_histograms() -> (
    None
):
    residual = DRAW.normal(0.0, 1.0, (2, 3, 8))
    clean = of_residuals(residual, [1.0, 1.0])
    residual[0, 1] = np.nan
    residual[1, 2] = 1e6  # finite, but no better than a diverged one
    lost = np.zeros((2, 3))
    lost[0, 1] = 1
    variance = np.ones(2)
    found = summarize_beliefs({"residual": residual}, None, lost, variance)
    assert found["nll"][0, 1] == found["nll"][1, 2] == WORST_NLL
    assert np.isnan(found["interval_coverage"][0, 1])
    kept = np.array([[True, False, True], [True, True, False]])
    np.testing.assert_array_equal(found["nll"][kept], clean["nll"][kept])
    np.testing.assert_allclose(found["below_share"].sum(1), 1.0)


def test_classes_are_grouped_by_confidence_with_its_upper_end() -> None:
    confidence = np.array([[[0.3, 0.35, 0.40001, 1.0]]])
    right = np.array([[[0.0, 1.0, 1.0, 1.0]]])
    answers = {"confidence": confidence, "right": right}
    found = summarize_beliefs(answers, np.array([[0.7]]), np.zeros((1, 1)), None)
    assert found["nll"].item() == 0.7
    assert found["confidence"].item() == pytest.approx(confidence.mean())
    share = found["confidence_share"][0]
    np.testing.assert_allclose(share[[2, 3, 4, 9]], 0.25)
    np.testing.assert_allclose(found["bin_confidence"][0, [2, 3]], [0.3, 0.35])
    np.testing.assert_allclose(found["bin_accuracy"][0, [2, 3, 4, 9]], [0, 1, 1, 1])
    assert np.isnan(found["bin_accuracy"][0, 0])


def test_without_a_spread_from_validation_nothing_is_scored() -> None:
    assert not summarize_beliefs({"residual": np.ones((2, 3, 4))}, None, SOUND, None)
