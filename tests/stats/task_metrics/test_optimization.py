"""Per-task summaries: a diverged run is a gap and a count, never a number."""

import numpy as np
import pytest

from engine.stats.task_metrics.optimization import (
    cut_at_divergence,
    mean_log_loss,
    summarize_tasks,
)


def _one(loss: list[float]) -> np.ndarray:
    return np.array([[loss]], dtype=np.float32)


def test_traces_end_at_the_step_whose_loss_is_not_finite() -> None:
    traces = {
        "loss": _one([1.0, 0.5, np.inf, 0.1]),
        "lr_scale": np.ones((1, 1, 3, 2), dtype=np.float32),
    }
    kept, at = cut_at_divergence(traces)
    assert at.tolist() == [[2.0]]
    assert np.isnan(kept["loss"][0, 0]).tolist() == [False, False, True, True]
    assert np.isnan(kept["lr_scale"][0, 0, :, 1]).tolist() == [False, False, True]
    assert kept["loss"].dtype == np.float32


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2e8])
def test_every_way_to_blow_up_is_a_divergence(bad: float) -> None:
    rows = summarize_tasks({"loss": _one([1.0, bad, 1.0])}, 0.5)
    assert rows["diverged"].item() == 1.0
    assert rows["diverged_at"].item() == 1.0
    assert np.isnan(rows["final_loss"]).all()
    assert rows["best_loss"].item() == 1.0


def test_area_counts_the_missing_steps_at_the_ceiling() -> None:
    rows = summarize_tasks({"loss": _one([1.0, np.nan])}, 0.5)
    assert rows["area"].item() == pytest.approx(np.log(100.0) / 2)


def test_area_of_an_exactly_solved_function_is_the_floor() -> None:
    assert mean_log_loss(np.zeros((2, 3))).tolist() == pytest.approx([np.log(1e-4)] * 2)


def test_a_diverged_run_never_meets_a_threshold_afterwards() -> None:
    rows = summarize_tasks({"loss": _one([1.0, np.nan, 0.1])}, 0.5)
    assert (rows["steps_to_threshold"].item(), rows["reached"].item()) == (2.0, 0.0)


def test_a_threshold_reached_before_the_end_counts_even_if_the_run_then_diverges() -> (
    None
):
    rows = summarize_tasks({"loss": _one([1.0, 0.4, np.inf])}, 0.5)
    assert (rows["steps_to_threshold"].item(), rows["reached"].item()) == (1.0, 1.0)


def test_recovery_is_counted_from_the_drift_and_cut_off_by_the_horizon() -> None:
    loss = np.array([[[2.0, 1.0, 3.0, 2.0, 1.0], [2.0, 1.0, 3.0, 2.0, 1.5]]])
    rows = summarize_tasks({"loss": loss}, 0.1, drift_start=2)
    assert rows["recovery_steps"].tolist() == [[2.0, 2.0]]
    assert rows["recovered"].tolist() == [[1.0, 0.0]]


def test_a_drift_without_a_step_before_it_is_refused() -> None:
    with pytest.raises(ValueError, match="step 1 to 2"):
        summarize_tasks({"loss": _one([1.0, 1.0, 1.0])}, 0.1, drift_start=0)


def test_gradient_variation_is_sd_over_mean_and_zero_for_no_gradient() -> None:
    norms = np.array([[[1.0, 3.0, 2.0], [0.0, 0.0, 0.0]]])
    rows = summarize_tasks({"loss": np.ones((1, 2, 4)), "grad_norm": norms}, 0.1)
    assert rows["grad_cv"][0].tolist() == pytest.approx([np.sqrt(2 / 3) / 2, 0.0])


def test_all_rows_have_one_number_a_task_and_only_what_there_is_data_for() -> None:
    traces = {"loss": np.ones((2, 3, 5)), "accuracy": np.full((2, 3, 5), 0.5)}
    rows = summarize_tasks(traces, 2.0)
    assert {row.shape for row in rows.values()} == {(2, 3)}
    assert {row.dtype for row in rows.values()} == {np.dtype(np.float64)}
    assert "final_accuracy" in rows
    assert "grad_cv" not in rows
    assert "recovery_steps" not in rows
    assert rows["steps_to_threshold"].max() == 0.0
