"""A reliability diagram shows the points that exist, and the diagonal."""

import numpy as np

from app.figures.calibration import calibration_figure
from tests.figures import made
from tests.figures.made import ROLES


def test_a_group_without_queries_is_left_out() -> None:
    line = made.reliability()
    observed = np.where(line.predicted < 0.25, np.nan, line.observed)
    lines = {"sgd": line._replace(observed=observed, low=observed, high=observed)}
    fig = calibration_figure(lines, ROLES, classes=True)
    (points,) = [t for t in fig.data if (t.uid or "").endswith(":calibration")]
    np.testing.assert_allclose(points.x, np.arange(3, 10) / 10)
    np.testing.assert_allclose(points.y, (np.arange(3, 10) / 10) ** 2)
    (diagonal,) = [t for t in fig.data if t.uid == "diagonal"]
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]


def test_words_are_those_of_classes_or_of_values() -> None:
    for classes, x, y in (
        (True, "Confidence in the answer", "Right answers"),
        (False, "Central interval of the prediction", "Targets inside"),
    ):
        fig = calibration_figure({"sgd": made.reliability()}, ROLES, classes=classes)
        assert fig.layout.xaxis.title.text == x
        assert y in {note.text for note in fig.layout.annotations}
        assert "0.15" in fig.data[-1].hovertemplate
