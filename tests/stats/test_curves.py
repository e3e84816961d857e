"""Curves keep what the eye must not lose: peaks, gaps, counts, limits."""

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.metrics import METRICS
from engine.stats.block_table import BlockTable
from engine.stats.curves import gradient_axis, make_curve, make_curves, survival_curve
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.run_summary import summarize
from engine.stats.shift_and_transfer import (
    conditions_by_shift,
    degradation,
    relative_drop,
    severity_curve,
    transfer_levels,
)
from engine.stats.task_metrics.few_shot import WORST
from engine.stats.task_metrics.optimization import CEILING
from tests.stats.made_up import TUNED, chosen, falling, scales, spec, threshold, trial


def _block(metric: str, array: np.ndarray) -> Block:
    axes = ("replicate", "task", "step", "layer")[: array.ndim]
    return Block("a", "test", metric, axes, array)


def test_a_loss_curve_is_the_geometric_mean() -> None:
    loss = falling(0.1)
    drawn = make_curve(_block("loss", loss))
    assert drawn.mean == pytest.approx(np.exp(np.log(loss).mean((0, 1))))
    assert (drawn.low < drawn.mean).all()
    assert (drawn.mean < drawn.high).all()
    assert drawn.n == 8


def test_an_unmeasured_layer_does_not_change_the_mean_of_the_others() -> None:
    norms = np.full((2, 3, 4, 3), 2.0)
    norms[..., 1], norms[..., 2] = np.nan, 8.0
    norms[0, 0, 2, 0] = np.nan
    drawn = make_curve(_block("inner_grad_norm", norms))
    assert drawn.mean == pytest.approx([4.0] * 4)
    assert drawn.missing_counts.tolist() == [0, 0, 1, 0]
    nothing = make_curve(_block("inner_grad_norm", np.full((2, 3, 4, 3), np.nan)))
    assert np.isnan(nothing.mean).all()


def test_a_share_never_leaves_its_limits() -> None:
    accuracy = np.array([[[0.5, 1.0]], [[0.9, 0.2]]])
    drawn = make_curve(_block("accuracy", accuracy))
    assert drawn.low.min() >= 0.0
    assert drawn.high.max() <= 1.0
    assert drawn.mean == pytest.approx([0.7, 0.6])


def test_diverged_tasks_count_as_the_ceiling_and_are_counted_by_step() -> None:
    loss = np.ones((2, 2, 4))
    loss[0, 1, 2:] = np.nan
    loss[1, :, 3:] = np.nan
    drawn = make_curve(_block("loss", loss))
    assert drawn.missing_counts.tolist() == [0, 0, 1, 3]
    assert (drawn.members, drawn.counted_as) == (4, 100.0)
    # Of replicates with 1 and 2 of 2 tasks gone, the mean log is ln 100 × (½ + 1) / 2.
    assert drawn.mean == pytest.approx([1.0, 1.0, 100**0.25, 100**0.75])


def test_the_mean_log_of_a_capped_curve_is_what_learners_are_compared_by() -> None:
    loss = falling(0.1)
    loss[:, ::3, 20:] = np.nan
    (curve,) = make_curves([_block("loss", loss)], "loss")
    (area,) = (b for b in trial("a", loss) if b.metric == "area")
    assert np.log(curve.mean).mean() == pytest.approx(area.array.mean())


def test_a_figure_caps_the_losses_of_all_learners_or_of_none() -> None:
    """Else the one that diverged would be drawn below the one that did not."""
    high, gone = np.full((2, 2, 3), 1e4), np.full((2, 2, 3), np.nan)
    gone[..., 0] = 1.0
    (alone,) = make_curves([_block("loss", high)], "loss")
    assert alone.mean[-1] == pytest.approx(1e4)
    assert alone.counted_as is None
    first, second = make_curves([_block("loss", high), _block("loss", gone)], "loss")
    assert first.mean[-1] == second.mean[-1] == pytest.approx(100.0)
    assert first.counted_as == second.counted_as == 100.0


def test_a_metric_without_a_worst_value_is_averaged_over_the_tasks_left() -> None:
    norms = np.array([[[1.0, np.nan], [3.0, 4.0]]])
    drawn = make_curve(_block("weight_norm", norms))
    assert drawn.mean.tolist() == [2.0, 4.0]
    assert (drawn.counted_as, drawn.missing_counts[-1]) == (None, 1)


def test_no_answer_is_no_right_answer() -> None:
    right = np.array([[[0.5, np.nan], [0.9, 0.8]]])
    drawn = make_curve(_block("query_accuracy", right))
    assert drawn.mean == pytest.approx([0.7, 0.4])


def test_an_overflowed_square_gives_no_warning() -> None:
    mse = np.array([[[1.0, np.inf], [2.0, np.inf], [3.0, 4.0]]])
    drawn = make_curve(_block("query_mse", mse))
    assert drawn.missing_counts.tolist() == [0, 2]
    assert drawn.mean == pytest.approx([2.0, (100 + 100 + 4) / 3])


def test_the_worst_values_are_the_bounds_of_the_tasks_metrics() -> None:
    assert {METRICS[n].worst for n in ("loss", "held_loss", "final_loss")} == {CEILING}
    assert (
        METRICS["final_mse"].worst == METRICS["query_mse"].worst == WORST["query_mse"]
    )


def test_spread_is_numpys_quantiles_over_tasks_that_are_left() -> None:
    values = np.random.default_rng(0).normal(size=(4, 5, 3))
    values[0, 0, 1:] = np.nan
    spread = make_curve(_block("weight_norm", values)).spread
    expected = np.nanquantile(
        values.reshape(20, 3), [0.05, 0.25, 0.5, 0.75, 0.95], axis=0
    )
    assert spread == pytest.approx(expected)


def test_layers_are_averaged_or_shown_one_by_one() -> None:
    array = np.stack([np.full((2, 2, 3), 1.0), np.full((2, 2, 3), 4.0)], axis=-1)
    block = _block("lr_scale", array)
    assert make_curve(block).mean == pytest.approx([2.0] * 3)
    assert make_curve(block, layer=1).mean == pytest.approx([4.0] * 3)


def test_a_scale_of_exactly_zero_draws_without_a_warning() -> None:
    assert np.isfinite(
        make_curve(_block("lr_scale", np.zeros((2, 2, 3, 2)))).mean
    ).all()


def test_axes_that_make_no_curve_are_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        make_curve(Block("a", "tune", "tuning", ("rate", "task"), np.ones((2, 2))))


def test_only_the_metric_and_phase_asked_for_are_drawn() -> None:
    blocks = [_block("loss", np.ones((1, 1, 2))), scales("b", np.ones(2))]
    assert [c.learner for c in make_curves(blocks, "lr_scale")] == ["b"]


def test_the_cost_of_meta_training_shifts_the_axis_by_its_share() -> None:
    steps = np.arange(3.0)
    assert gradient_axis(steps).tolist() == [0, 1, 2]
    assert gradient_axis(steps, {"tune": 0, "train": 100}, 50).tolist() == [2, 3, 4]


def test_a_survival_curve_counts_diverged_tasks_as_waiting() -> None:
    loss = falling(1.0, replicates=2, tasks=2, horizon=5)
    loss[:, 0, 1:] = np.nan
    found = survival_curve(_block("loss", loss), 0.1)
    assert found.share[-1] == 0.5
    assert found.share[0] == 1.0


def _shifted() -> BlockTable:
    blocks = trial("a", np.full((2, 3, 6), 1.0))
    for severity, loss in ((2.0, np.e), (4.0, np.e**2)):
        at = Condition(shift="stretch", severity=severity)
        blocks += trial("a", np.full((2, 3, 6), loss), at)
    return BlockTable(blocks)


def test_losses_by_severity_count_diverged_tasks_and_are_capped_for_all() -> None:
    lost = np.full((2, 4, 6), 1.0)
    lost[:, :2, 3:] = np.nan
    hard = Condition(shift="stretch", severity=4.0)
    table = BlockTable(
        [
            *trial("a", np.full((2, 4, 6), 1.0)),
            *trial("a", lost, hard),
            *trial("b", np.full((2, 4, 6), 1.0)),
            *trial("b", np.full((2, 4, 6), 1e4), hard),
        ]
    )
    mine = severity_curve(table, "a", "stretch", "final_loss")
    other = severity_curve(table, "b", "stretch", "final_loss")
    assert mine is not None and other is not None
    assert mine.mean == pytest.approx([1.0, 10.0])
    assert other.mean == pytest.approx([1.0, 100.0])
    assert mine.diverged.tolist() == [0, 4]
    assert other.diverged.tolist() == [0, 0]


def test_a_severity_curve_starts_in_distribution_and_its_area_is_a_trapezoid() -> None:
    found = severity_curve(_shifted(), "a", "stretch")
    assert found is not None
    assert found.severity.tolist() == [0.0, 2.0, 4.0]
    assert found.mean == pytest.approx([0.0, 1.0, 2.0])
    assert degradation(found) == pytest.approx(1.0)
    assert relative_drop(found) == pytest.approx(np.e**2 - 1)
    assert found.members.tolist() == [6, 6, 6]
    assert list(conditions_by_shift(_shifted())) == ["stretch"]


def test_a_relative_drop_of_a_plain_metric_is_a_share_of_its_start() -> None:
    found = severity_curve(_shifted(), "a", "stretch", "final_loss")
    assert found is not None
    assert relative_drop(found) == pytest.approx(np.e**2 - 1)


def test_a_learner_or_shift_that_was_not_tested_has_no_severity_curve() -> None:
    assert severity_curve(_shifted(), "a", "rotate") is None
    assert severity_curve(_shifted(), "b", "stretch") is None


def test_a_transfer_matrix_holds_what_each_run_filed_for_its_learner() -> None:
    moons = Condition(family="moons")
    blocks = [
        threshold(),
        *trial("lr_scale", falling(0.2)),
        *trial("sgd_tuned", falling(0.1)),
        *trial("lr_scale", falling(0.1), moons),
        *trial("lr_scale", falling(0.3), Condition("rings", "stretch", 1.0)),
    ]
    run = spec(chosen(), TUNED)
    found = transfer_levels([(run, summarize(blocks, run))], "lr_scale", "area")
    assert (found.train, found.test) == (("mixtures",), ("mixtures", "moons"))
    rows = [
        BlockTable(blocks).test_values("lr_scale", "area", at)
        for at in (Condition(), moons)
    ]
    levels = [metric_interval("area", values) for values in rows if values is not None]
    truth = np.array([levels]).T[:3, :, 0]
    np.testing.assert_allclose(
        [found.mean[0], found.low[0], found.high[0]], truth, rtol=1e-12
    )
    assert transfer_levels([], "lr_scale", "area").mean.shape == (0, 0)
