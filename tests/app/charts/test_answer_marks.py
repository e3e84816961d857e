"""A learner is marked at every inner step at which one of its replicates answers."""

import numpy as np

from app.charts.chart_options import ViewState
from app.charts.few_shot import _answer_points
from engine.contract.events import Block
from engine.contract.kinds import FEW_SHOT
from engine.stats.block_table import BlockTable
from engine.stats.curves import make_curves

STEPS = (0.0, 1.0, 5.0, 20.0)


def test_replicates_that_answer_at_different_steps_are_all_marked() -> None:
    trace = np.random.default_rng(1).uniform(0.5, 2.0, (3, 4, len(STEPS)))
    answers = np.array([1, 3, 3])
    final = trace[np.arange(3), :, answers]
    axes, at = ("replicate", "task", "step"), {"step": STEPS}
    blocks = [
        Block("fine_tune", "test", "query_mse", axes, trace, coords=at),
        Block("fine_tune", "test", "final_mse", axes[:2], final),
    ]
    (curve,) = make_curves(blocks, "query_mse")
    points = _answer_points(BlockTable(blocks, FEW_SHOT), curve, ViewState())
    assert [point.x for point in points] == [1.0, 20.0]
    assert [point.y for point in points] == [curve.mean[1], curve.mean[3]]
