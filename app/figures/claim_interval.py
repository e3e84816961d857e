"""A claim and its measurement: the measured interval beside the claimed range."""

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from app.figures.figure_parts import make_figure
from app.figures.theme import GREY, INTERVAL_NAME, format_number
from engine.stats.claims_board import StudyVerdict

COLORS = {
    "supported": theme.COLORS["blue"],
    "not supported": theme.COLORS["red"],
    "depends": theme.COLORS["orange"],
}
CLAIMED = "rgba(128,137,149,0.28)"


def describe_estimate(verdict: StudyVerdict) -> str:
    """Return the estimate with its interval and unit."""
    if not np.isfinite(verdict.estimate):
        return "not measured"
    unit = verdict.unit
    ends = ""
    if np.isfinite(verdict.low) and np.isfinite(verdict.high):
        ends = f" [{format_number(verdict.low)}, {format_number(verdict.high)}]"
    return f"{format_number(verdict.estimate)}{ends} {unit}".strip()


def claim_figure(verdict: StudyVerdict) -> go.Figure:
    """Draw the measured interval, and the claimed range if it has numbers."""
    made = make_figure(
        title="",
        how_to_read=f"Mark: measured; bar: {INTERVAL_NAME}; gray: the claimed range, "
        "dashed: the smallest value for which the claim holds.",
        alt=f"Measured {describe_estimate(verdict)}: {verdict.verdict}",
        height=74,
    )
    color = COLORS.get(verdict.verdict, GREY)
    claimed = tuple(verdict.claimed)
    if len(claimed) == 2:
        made.add_shape(
            type="rect",
            x0=claimed[0],
            x1=claimed[1],
            y0=-1,
            y1=1,
            fillcolor=CLAIMED,
            line={"width": 0},
            layer="below",
        )
    if len(claimed) == 1:
        made.add_vline(x=claimed[0], line={"color": GREY, "width": 2, "dash": "dash"})
    made.add_trace(
        go.Scatter(
            x=[verdict.low, verdict.high],
            y=[0, 0],
            mode="lines",
            line={"color": color, "width": 4},
            hoverinfo="skip",
        )
    )
    made.add_trace(
        go.Scatter(
            x=[verdict.estimate],
            y=[0],
            mode="markers",
            marker={"color": color, "size": 12},
            hovertemplate=f"{describe_estimate(verdict)}<extra></extra>",
        )
    )
    made.add_vline(x=0, line={"color": GREY, "width": 1.2})
    made.update_yaxes(visible=False, range=[-1.1, 1.1], fixedrange=True)
    made.update_xaxes(fixedrange=True, tickformat="~g", nticks=6)
    made.update_xaxes(range=_axis_range(verdict))
    made.update_layout(showlegend=False, hovermode="closest", margin={"t": 4, "b": 24})
    return made


def _axis_range(verdict: StudyVerdict) -> list[float]:
    """Return an x range that fits the measurement, the claim and 0."""
    shown = [0.0, verdict.estimate, verdict.low, verdict.high, *verdict.claimed]
    known = [float(x) for x in shown if np.isfinite(x)]
    # Measurement and claim may both be 0.
    room = 0.06 * ((max(known) - min(known)) or 1.0)
    return [min(known) - room, max(known) + room]
