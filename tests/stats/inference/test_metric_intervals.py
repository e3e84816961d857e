"""A metric's own fields say how it is averaged and where its interval ends."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t

from engine.contract.metrics import METRICS, Metric
from engine.stats.inference import metric_intervals
from engine.stats.inference.bounded_intervals import fit_band
from engine.stats.inference.intervals import Band, mean_interval
from engine.stats.inference.metric_intervals import metric_band, metric_interval
from engine.stats.shift_and_transfer import SeverityCurve, relative_drop

WIDE = np.array([[0.01], [0.9], [0.9]])


def renamed(name: str, **fields: object) -> Metric:
    """Return a metric whose unit says nothing that any code could know."""
    return METRICS[name]._replace(unit="words for the reader", **fields)


@pytest.mark.parametrize("name", ["final_accuracy", "final_mse", "final_loss"])
def test_the_name_of_a_unit_changes_no_level(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = metric_interval(name, WIDE)
    monkeypatch.setitem(METRICS, name, renamed(name))
    assert metric_interval(name, WIDE) == before


def test_an_interval_of_a_share_is_wilsons() -> None:
    """With tasks that are independent, of which 3 of 12 succeed; scipy's is the truth.

    SE² over replicates is set to p(1 − p)/n, so that the effective n is the number.
    """
    p, n = 0.25, 12.0
    half = float(norm.ppf(0.975) * np.sqrt(p * (1 - p) / n))
    band = Band(*(np.array(x) for x in (p, p - half, p + half, n)))
    found = fit_band(band, (0.0, 1.0), np.array(n))
    truth = binomtest(3, 12).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((truth.low, truth.high))
    scaled = fit_band(
        Band(*(100 * part for part in band[:3]), band.n), (0.0, 100.0), np.array(n)
    )
    assert scaled.low == pytest.approx(100 * truth.low)


def test_a_share_that_is_1_everywhere_still_has_an_interval() -> None:
    found = metric_interval("reached", np.ones((8, 8)))
    z2 = float(t.ppf(0.975, 7)) ** 2
    assert (found.mean, found.high) == pytest.approx((1.0, 1.0))
    assert found.low == pytest.approx(64 / (64 + z2))
    assert np.isnan(metric_interval("reached", np.ones((1, 8))).low)


def test_what_is_positive_has_an_interval_above_0_that_is_not_cut() -> None:
    rows = np.array([[0.01], [0.02], [5.0]])
    assert mean_interval(rows).low < 0
    found = metric_interval("final_mse", rows)
    assert found.low > 0
    # Both ends solve (mean − μ)² = (t·SE)² μ / mean, which Poisson's score test does.
    half = mean_interval(rows).high - found.mean
    for end in (found.low, found.high):
        assert (found.mean - end) ** 2 == pytest.approx(half**2 * end / found.mean)
    assert metric_interval("final_mse", np.zeros((3, 2)))[:3] == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", ["adaptation_gain", "explained_variance"])
def test_a_share_that_may_be_negative_is_not_held_at_0(name: str) -> None:
    found = metric_interval(name, np.array([[-0.5], [0.9], [0.1]]))
    assert found.low < 0
    assert metric_interval(name, np.array([[0.99], [0.4], [0.99]])).high < 1.0


@pytest.mark.parametrize("name", ["regret_area", "final_regret", "validation_regret"])
def test_a_regret_on_noisy_tests_keeps_its_t_interval(name: str) -> None:
    rows = np.array([[-0.02], [0.01], [0.02]])
    plain = mean_interval(rows, log=metric_intervals.is_log(name))
    assert metric_interval(name, rows) == plain
    assert plain.low < 0


def test_shares_of_correlated_tasks_are_covered() -> None:
    """Where tasks of a replicate succeed together, t on the means covers 84 %."""
    rng = np.random.default_rng(1)
    share = rng.beta(0.9 * 7 / 3, 0.1 * 7 / 3, (8, 1, 1000))
    band = metric_band("reached", (rng.random((8, 8, 1000)) < share).astype(float))
    assert ((band.low <= 0.9) & (band.high >= 0.9)).mean() > 0.92


def test_a_mean_is_geometric_where_the_metric_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not metric_intervals.is_log("final_mse") and metric_intervals.is_log(
        "final_loss"
    )
    monkeypatch.setitem(METRICS, "final_mse", renamed("final_mse", mean="geometric"))
    assert metric_interval("final_mse", WIDE).mean == pytest.approx(
        np.exp(np.log(WIDE).mean())
    )


def test_a_drop_of_a_logarithm_is_a_ratio() -> None:
    assert METRICS["area"].logarithm and not METRICS["error"].logarithm
    ends = np.array([0.0, np.log(2.0)])
    severity = np.array([0.0, 1.0])
    curve = SeverityCurve("", "area", severity, ends, ends, ends, 8, ends, ends)
    assert relative_drop(curve) == pytest.approx(1.0)


def test_an_error_of_classes_is_a_share_and_one_of_values_is_not() -> None:
    rows = np.array([[0.05], [0.95]])
    classes = metric_interval("error", rows, share=True)
    assert 0.0 < classes.low < classes.high < 1.0
    assert classes == metric_interval("final_accuracy", rows)
    assert metric_interval("error", rows).high > 1.0
    steps = metric_interval("steps_to_threshold", 10 * rows, share=True)
    assert steps.high > 1.0
