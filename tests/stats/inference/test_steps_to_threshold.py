"""Steps to a threshold and survival, against counts, closed forms and lifelines."""

import numpy as np
import pytest

from engine.stats.inference.steps_to_threshold import find_crossing
from engine.stats.inference.survival import (
    kaplan_meier,
    restricted_interval,
    survival_over_replicates,
)
from tests.stats.made_up import falling


def _geometric(n: int, p: float, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    arrival = np.random.default_rng(1).geometric(p, n).astype(float)
    return np.minimum(arrival, horizon), arrival <= horizon


def test_a_start_below_the_threshold_takes_no_step() -> None:
    found = find_crossing(np.array([[0.2, 0.9], [1.0, 0.3]]), 0.3)
    assert found.step.tolist() == [0.0, 1.0]


def test_a_loss_exactly_at_the_threshold_has_reached_it() -> None:
    assert find_crossing(np.array([[1.0, 0.5]]), 0.5).reached.all()


def test_the_first_crossing_counts_even_if_the_loss_rises_again() -> None:
    assert find_crossing(np.array([[1.0, 0.2, 1.0, 0.1]]), 0.3).step == [1.0]


def test_an_exponential_decay_crosses_where_its_logarithm_says() -> None:
    loss = falling(rate=0.1)
    expected = np.ceil(np.log(loss[..., 0] / 0.3) / 0.1)
    assert np.array_equal(find_crossing(loss, 0.3).step, expected)


def test_no_run_reaches_a_nan_threshold() -> None:
    assert not find_crossing(falling(), float("nan")).reached.any()


def test_without_censoring_the_curve_is_the_empirical_share() -> None:
    step = np.random.default_rng(0).integers(0, 20, 100).astype(float)
    curve = kaplan_meier(step, np.ones(100, bool), 20)
    assert np.allclose(curve.share, [(step > t).mean() for t in range(21)])
    assert curve.share[:20].sum() == pytest.approx(step.mean())


def test_finishers_alone_flatter_and_the_restricted_mean_does_not() -> None:
    step, reached = _geometric(400_000, 0.03, 50)
    restricted = (1 - 0.97**50) / 0.03
    steps = np.arange(1, 51)
    naive = (steps * 0.03 * 0.97 ** (steps - 1)).sum() / (1 - 0.97**50)
    assert [naive, restricted] == pytest.approx([19.3, 26.0], abs=0.1)
    assert step[reached].mean() == pytest.approx(naive, rel=0.01)
    area = kaplan_meier(step, reached, 50).share[:50].sum()
    assert area == pytest.approx(restricted, rel=0.01)
    assert step.mean() < 1 / 0.03


def test_curve_band_and_area_agree_with_lifelines_under_random_censoring() -> None:
    lifelines = pytest.importorskip("lifelines")
    draw = np.random.default_rng(3)
    arrival, end = draw.integers(1, 30, 80), draw.integers(5, 40, 80)
    step, reached = np.minimum(arrival, end).astype(float), arrival <= end
    fitted = lifelines.KaplanMeierFitter().fit(step, reached, timeline=range(31))
    curve = kaplan_meier(step, reached, 30)
    assert np.allclose(curve.share, fitted.survival_function_.to_numpy()[:, 0])
    inside = (curve.share > 0) & (curve.share < 1)
    band = fitted.confidence_interval_.to_numpy()[inside]
    assert np.allclose(np.stack([curve.low, curve.high], 1)[inside], band, atol=1e-6)
    area = lifelines.utils.restricted_mean_survival_time(fitted, t=30)
    assert curve.share[:30].sum() == pytest.approx(area, rel=1e-6)


def test_the_band_over_replicates_covers_the_true_share_at_its_level() -> None:
    draw = np.random.default_rng(5)
    hits = []
    for _ in range(300):
        speed = 0.05 * np.exp(draw.normal(0, 0.3, (8, 1)))
        step = np.minimum(draw.geometric(np.broadcast_to(speed, (8, 16))), 50.0)
        curve = survival_over_replicates(step, step < 50, 50)
        hits.append((curve.low[10], curve.high[10]))
    many = 0.05 * np.exp(draw.normal(0, 0.3, 200_000))
    truth = ((1 - many) ** 10).mean()
    low, high = np.array(hits).T
    assert ((low <= truth) & (truth <= high)).mean() > 0.92


def test_one_replicate_falls_back_to_the_band_over_its_tasks() -> None:
    step = np.array([[1.0, 2.0, 3.0, 9.0]])
    curve = survival_over_replicates(step, step < 9, 9)
    assert np.array_equal(
        curve.low, kaplan_meier(step[0], step[0] < 9, 9).low, equal_nan=True
    )


def test_a_restricted_mean_without_censoring_is_the_mean_of_the_steps() -> None:
    slow = np.random.default_rng(0).integers(10, 40, (8, 8)).astype(float)
    assert restricted_interval(slow).mean == pytest.approx(slow.mean())
