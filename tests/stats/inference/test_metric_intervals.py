"""A metric's own fields say how it is averaged and where its interval ends."""

import numpy as np
import pytest

from engine.contract.metrics import METRICS, Metric
from engine.stats.inference import metric_intervals
from engine.stats.inference.metric_intervals import metric_interval
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


def test_an_interval_is_held_within_the_metrics_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(
        METRICS, "final_accuracy", renamed("final_accuracy", ends=(0.2, 0.8))
    )
    found = metric_interval("final_accuracy", WIDE)
    assert (found.low, found.high) == (0.2, 0.8)


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
