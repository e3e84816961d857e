"""Charts of few-shot runs over the examples seen, and of how sure the answers are."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from app.charts import training
from app.charts.chart_options import HEIGHT, ViewState
from app.client.client import Run
from app.figures.calibration import Reliability, calibration_figure
from app.figures.curves import add_level_line, curves_figure
from app.figures.figure_types import CurveOptions
from app.figures.theme import learner_name
from engine.contract.events import Block, Condition
from engine.stats.block_table import IN_DISTRIBUTION, has_constant_spread
from engine.stats.curves import Curve, make_curve_along
from engine.stats.inference.metric_intervals import metric_band
from engine.stats.summaries.calibration import calibration

SELDOM = 0.1  # share of the episodes; fewer have no mean worth drawing
RARE = 0.01  # share of the queries; smaller groups show noise, and are left out
PROBED = " On the first test tasks in distribution."


def context_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return every learner's performance by the number of examples it has seen."""
    right = training.has_class_answers(run)
    found = _probes(run, "context_error")
    lines = [make_curve_along(block, share=right) for block in found]
    if not lines:
        return None
    if right:
        lines = [error_to_accuracy(line) for line in lines]
    log = False if right else view_state.log
    view = CurveOptions(log_y=log, x_title="Examples seen", height=HEIGHT)
    metric = "query_accuracy" if right else "query_mse"
    made = curves_figure(lines, metric, run.roles, view)
    made.update_xaxes(rangemode="tozero", tickformat="d")
    chance = _add_chance(made, run) if right else ""
    word = "Accuracy" if right else "Error"
    return _describe(made, f"{word} by number of examples", chance + PROBED)


def presentation_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return every learner's accuracy when it sees a class for the n-th time."""
    found = map(without_seldom, _probes(run, "presentation_accuracy"))
    lines = [make_curve_along(block, share=True) for block in found]
    if not lines:
        return None
    view = CurveOptions(log_y=False, x_title="Presentation of a class", height=HEIGHT)
    made = curves_figure(lines, "presentation_accuracy", run.roles, view)
    made.update_traces(mode="lines+markers", selector={"fill": None})
    made.update_xaxes(dtick=1)
    made.update_yaxes(range=[0, 1.03])
    note = " At 1 a class is new: at best a guess among the labels not seen yet."
    seldom = f"{100 * SELDOM:.0f} % of the episodes"
    note += f" Presentations in less than {seldom} are left out."
    note += _add_chance(made, run)
    return _describe(made, "Accuracy by presentation", note + PROBED)


def _probes(run: Run, metric: str) -> list[Block]:
    found = (
        run.table.block(label, "test", metric, IN_DISTRIBUTION) for label in run.roles
    )
    return [block for block in found if block]


def without_seldom(block: Block) -> Block:
    """Return a probe's block without the places that hardly any episode has.

    Args:
        block: Axes (replicate, task, …); NaN where an episode does not come so far.
    """
    values, axis = np.asarray(block.array), block.axes[-1]
    often = ~(np.isnan(values).mean((0, 1)) > 1.0 - SELDOM)
    at = np.asarray(block.coordinates(axis))[often]
    return replace(block, array=values[..., often], coords={axis: tuple(at.tolist())})


def error_to_accuracy(line: Curve) -> Curve:
    """Return the curve of an error rate as one of accuracy."""
    return line._replace(mean=1 - line.mean, low=1 - line.high, high=1 - line.low)


def _add_chance(figure: go.Figure, run: Run) -> str:
    """Draw the accuracy of guessing; return the words for it, as it crosses lines."""
    chance = run.table.number("", "test", "chance_error")
    if chance is None:
        return ""
    add_level_line(figure, 1.0 - chance)
    return f" Dashed gray: chance, {100 * (1.0 - chance):.0f} %."


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
    note = f" Constant spread, from validation: {'; '.join(constant)}."
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
