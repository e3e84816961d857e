"""Tuning curves stay in the range of what they show, however few units there are."""

import numpy as np
import pytest

from app.charts import training
from engine.contract.events import Block
from tests.app.charts.test_few_shot_examples import judged, run_of


def tuned(scores: list[list[float]]) -> Block:
    axes, rates = ("replicate", "rate"), {"rate": (0.1, 1.0)}
    return Block("maml", "tune", "tuning_error", axes, np.array(scores), coords=rates)


@pytest.mark.parametrize(
    ("metric", "most"), [("final_accuracy", 1.0), ("final_mse", np.inf)]
)
def test_a_band_over_two_replicates_does_not_leave_the_range(
    metric: str, most: float
) -> None:
    block = tuned([[0.05, 0.99], [0.2, 0.6]])
    fig = training.tuning_chart(run_of(block, judged(metric), judged("error")))
    assert fig is not None
    (line,) = [t for t in fig.data if t.uid == "maml:rates"]
    np.testing.assert_allclose(line.y, block.array.mean(0))
    (area,) = [t for t in fig.data if t.fill == "toself"]
    edges = np.array([y for y in area.y if y is not None])
    assert (edges >= 0).all()
    assert (edges <= most).all()
    # Two replicates know little: a band is wide.
    assert edges.max() - edges.min() > 0.5
