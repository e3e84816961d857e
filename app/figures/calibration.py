"""Reliability diagrams: how probable it was said to be, and how often it happened."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import (
    add_footnote,
    add_legend_below,
    add_y_caption,
    band_trace,
    describe_band,
    make_figure,
)
from app.figures.figure_types import Floats, Roles
from app.figures.theme import (
    GREY,
    INTERVAL_NAME,
    Style,
    assign_styles,
    format_number,
    learner_name,
)

HEIGHT = 300


class Reliability(NamedTuple):
    """One learner's points; NaN where nothing was predicted so.

    Args:
        predicted: Probability of a central interval, or mean confidence; (point,).
        observed: Share of targets inside, or of right answers, mean over replicates.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Replicates.
        error: Expected calibration error, mean over replicates.
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    n: int
    error: float


def calibration_figure(
    lines: Mapping[str, Reliability], roles: Roles, *, classes: bool
) -> go.Figure:
    """Draw each learner's reliability beside the diagonal of perfect calibration.

    Args:
        lines: By label.
        roles: Role by label, in the spec's order.
        classes: Whether answers are classes with a confidence, not values.
    """
    made = make_figure(
        title="Calibration",
        how_to_read=_how_to_read(classes),
        alt=_alt_text(lines),
        height=HEIGHT,
    )
    styles = assign_styles(roles)
    made.add_trace(_diagonal())
    # The first learner of the spec is drawn last, on top of the others.
    shown = [label for label in roles if label in lines]
    for label in shown[::-1]:
        line, style = lines[label], styles[label]
        area = band_trace(line.predicted, line.low, line.high, style)
        if area is not None:
            made.add_trace(area)
        made.add_trace(_points(line, style))
    ends = {"range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.25}
    made.update_xaxes(title_text=_words(classes)[0], **ends)
    made.update_yaxes(**ends)
    made.update_layout(hovermode="closest")
    add_y_caption(made, _words(classes)[1])
    add_footnote(made, describe_band([line.n for line in lines.values()] or 1))
    add_legend_below(made, [learner_name(label) for label in shown])
    return made


def _words(classes: bool) -> tuple[str, str]:
    if classes:
        return "Confidence in the answer", "Right answers"
    return "Central interval of the prediction", "Targets inside"


def _how_to_read(classes: bool) -> str:
    below = (
        "Below the diagonal: more confident than right. Without groups of less than "
        "1 % of the queries"
        if classes
        else "Below the diagonal: intervals too narrow; above: too wide"
    )
    return (
        f"On the gray diagonal: calibrated. {below}. Hover: the mean distance from it "
        f"(expected calibration error). Band: {INTERVAL_NAME} over replicates."
    )


def _diagonal() -> go.Scatter:
    return go.Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": GREY, "dash": "dash", "width": 1.2},
        hoverinfo="skip",
        showlegend=False,
        name="calibrated",
        uid="diagonal",
    )


def _points(line: Reliability, style: Style) -> go.Scatter:
    there = np.isfinite(line.predicted) & np.isfinite(line.observed)
    return go.Scatter(
        x=line.predicted[there],
        y=line.observed[there],
        mode="lines+markers",
        line=style.line,
        marker={"symbol": style.symbol, "size": 6, "color": style.color},
        name=style.name,
        legendgroup=style.label,
        legendrank=style.rank,
        uid=f"{style.label}:calibration",
        hovertemplate=f"{style.name}<br>%{{x:.0%}} predicted, %{{y:.0%}} observed<br>"
        f"mean distance {format_number(line.error)}<extra></extra>",
    )


def _alt_text(lines: Mapping[str, Reliability]) -> str:
    said = [f"{label} {format_number(line.error)}" for label, line in lines.items()]
    return "Expected calibration error: " + ("; ".join(said) or "none")
