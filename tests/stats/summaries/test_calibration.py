"""Calibration curves and the expected calibration error, by hand and by simulation."""

import numpy as np
import pytest
from scipy import stats

from engine.contract.events import Block
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable, has_constant_spread
from engine.stats.summaries.calibration import (
    PER_BIN,
    Calibration,
    calibration,
    interval_calibration,
)
from engine.stats.task_metrics.beliefs import summarize_beliefs


def below_shares(true_sd: float, believed_sd: float) -> Floats:
    """Return the histogram where targets are normal with another spread."""
    middle = (np.arange(4000) + 0.5) / 4000  # quantiles, in place of random draws
    residual = -stats.norm(0.0, true_sd).ppf(middle).reshape(1, 8, 500)
    variance = np.array([believed_sd**2])
    found = summarize_beliefs({"residual": residual}, None, np.zeros((1, 8)), variance)
    return found["below_share"]


@pytest.mark.parametrize("believed", [0.5, 1.0, 2.0])
def test_central_intervals_cover_what_the_normal_distribution_says(
    believed: float,
) -> None:
    found = interval_calibration(below_shares(1.0, believed))
    levels = np.arange(1, 10) / 10
    np.testing.assert_allclose(found.predicted[0], levels)
    reach = stats.norm.ppf(0.5 + levels / 2) * believed
    truth = 2 * stats.norm.cdf(reach) - 1
    np.testing.assert_allclose(found.observed[0], truth, atol=1e-3)
    error = np.abs(truth - levels).mean()
    assert found.expected_error() == pytest.approx([error], abs=1e-3)


def test_the_error_of_classes_weighs_each_group_by_its_queries() -> None:
    nothing = np.nan
    sure = np.array([[nothing, 0.6, 0.9], [nothing] * 3])
    right = np.array([[nothing, 0.5, 0.7], [nothing] * 3])
    share = np.array([[0.0, 0.25, 0.75], [nothing] * 3])
    error = Calibration(sure, right, share).expected_error()
    assert error[0] == pytest.approx(0.25 * 0.1 + 0.75 * 0.2)
    assert np.isnan(error[1])  # every task diverged


def test_a_table_gives_the_calibration_of_values_or_of_classes() -> None:
    shares = {"confidence_share": 1.0, "bin_confidence": 0.8, "bin_accuracy": 0.5}
    blocks = [
        Block("sure", "test", name, PER_BIN, np.full((2, 1), each))
        for name, each in shares.items()
    ]
    blocks.append(
        Block("values", "test", "below_share", PER_BIN, np.full((2, 4), 0.25))
    )
    spread = np.ones(2)
    blocks.append(
        Block("values", "validate", "residual_variance", ("replicate",), spread)
    )
    table = BlockTable(blocks, "few_shot")
    classes, values = calibration(table, "sure"), calibration(table, "values")
    assert classes is not None and values is not None
    assert classes.expected_error() == pytest.approx([0.3, 0.3])
    assert values.expected_error() == pytest.approx([0.0, 0.0])
    assert calibration(table, "other") is None
    assert has_constant_spread(table, "values")
    assert not has_constant_spread(table, "sure")
