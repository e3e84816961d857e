"""Charts of few-shot runs over the examples seen, and of how sure the answers are."""

import numpy as np
import plotly.graph_objects as go

from app.charts import training
from app.charts.chart_options import HEIGHT, ViewState
from app.client.client import Run
from app.figures.calibration import Reliability, calibration_figure
from app.figures.curves import add_reference_line, curves_figure
from app.figures.figure_types import CurveOptions
from app.figures.theme import learner_name
from engine.contract.events import Condition
from engine.stats.block_table import IN_DISTRIBUTION, has_constant_spread
from engine.stats.curves import Curve, make_curve_along
from engine.stats.inference.metric_intervals import metric_band
from engine.stats.summaries.calibration import calibration

RARE = 0.01  # share of the queries; smaller groups show noise, and are left out
PROBED = " On the first test tasks in distribution."


def context_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return every learner's performance by the number of examples it has seen."""
    right = training.has_class_answers(run)
    lines = _lines_along(run, "context_error", share=right)
    if not lines:
        return None
    if right:
        lines = [error_to_accuracy(line) for line in lines]
    log = False if right else view_state.log
    view = CurveOptions(log_y=log, x_title="Examples seen", height=HEIGHT)
    metric = "query_accuracy" if right else "query_mse"
    made = curves_figure(lines, metric, run.roles, view)
    made.update_xaxes(rangemode="tozero", tickformat="d")
    if right:
        _add_chance(made, run)
    word = "Accuracy" if right else "Error"
    return _describe(made, f"{word} by number of examples", PROBED)


def presentation_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return every learner's accuracy when it sees a class for the n-th time."""
    lines = _lines_along(run, "presentation_accuracy", share=True)
    if not lines:
        return None
    view = CurveOptions(log_y=False, x_title="Presentation of a class", height=HEIGHT)
    made = curves_figure(lines, "presentation_accuracy", run.roles, view)
    made.update_traces(mode="lines+markers", selector={"fill": None})
    made.update_xaxes(dtick=1)
    made.update_yaxes(range=[0, 1.03])
    _add_chance(made, run)
    note = " At 1 a class is new: at best a guess among the labels not seen yet."
    return _describe(made, "Accuracy by presentation", note + PROBED)


def _lines_along(run: Run, metric: str, *, share: bool) -> list[Curve]:
    found = [
        run.table.block(label, "test", metric, IN_DISTRIBUTION) for label in run.roles
    ]
    return [make_curve_along(block, share=share) for block in found if block]


def error_to_accuracy(line: Curve) -> Curve:
    """Return the curve of an error rate as one of accuracy."""
    return line._replace(mean=1 - line.mean, low=1 - line.high, high=1 - line.low)


def _add_chance(figure: go.Figure, run: Run) -> None:
    chance = run.table.number("", "test", "chance_error")
    if chance is not None:
        add_reference_line(figure, 1.0 - chance, "chance", log=False)


def _describe(figure: go.Figure, title: str, note: str) -> go.Figure:
    """Set a figure's title, and add a note on how to read it."""
    read = figure.layout.meta["how_to_read"] + note
    words = {"title": title, "how_to_read": read}
    figure.update_layout(meta={**figure.layout.meta, **words})
    return figure


def calibration_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return what every learner predicted of its answers, and what happened."""
    found = {
        label: line
        for label in run.roles
        if (line := _reliability(run, label, view_state.condition)) is not None
    }
    if not found:
        return None
    classes = training.has_class_answers(run)
    made = calibration_figure(found, run.roles, classes=classes)
    constant = [
        learner_name(label) for label in found if has_constant_spread(run.table, label)
    ]
    if not constant:
        return made
    note = f" Constant spread, from validation: {', '.join(constant)}."
    return _describe(made, made.layout.meta["title"], note)


def _reliability(run: Run, label: str, condition: Condition) -> Reliability | None:
    found = calibration(run.table, label, condition)
    if found is None:
        return None
    rare = found.weight.mean(0) < RARE
    at, level = (
        metric_band("interval_coverage", np.where(rare, np.nan, values)[:, None])
        for values in (found.predicted, found.observed)
    )
    wrong = found.expected_error()
    error = metric_band("interval_coverage", wrong[:, None])
    return Reliability(at.mean, *level[:3], int(level.n.max()), float(error.mean))


CHARTS_OF_EXAMPLES = {
    "contexts": context_chart,
    "presentations": presentation_chart,
    "calibration": calibration_chart,
}
