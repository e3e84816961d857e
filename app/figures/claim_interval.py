"""A claim against a measurement: one interval, and what was said of it."""

import numpy as np
import plotly.graph_objects as go

from app.figures.canvas import figure
from app.figures.theme import GREY, LEVEL, number
from engine.stats.claims_board import Judgment

COLORS = {"supported": "#3f9552", "not supported": "#ca3401", "depends": "#ce6b1f"}
CLAIMED = "rgba(128,137,149,0.28)"


def told(judgment: Judgment) -> str:
    """Return the estimate with its interval and unit."""
    if not np.isfinite(judgment.estimate):
        return "not measured"
    unit = judgment.unit
    ends = ""
    if np.isfinite(judgment.low) and np.isfinite(judgment.high):
        ends = f" [{number(judgment.low)}, {number(judgment.high)}]"
    return f"{number(judgment.estimate)}{ends} {unit}".strip()


def board_figure(judgment: Judgment) -> go.Figure:
    """Draw the measured interval, beside the claimed range where it has numbers."""
    made = figure(
        title="",
        read=f"Mark: measured; bar: {LEVEL}; grey: what is claimed.",
        alt=f"Measured {told(judgment)}: {judgment.verdict}",
        height=74,
    )
    color = COLORS.get(judgment.verdict, GREY)
    claimed = tuple(judgment.claimed)
    if len(claimed) == 2:
        made.add_shape(
            **{"type": "rect", "x0": claimed[0], "x1": claimed[1], "y0": -1, "y1": 1},
            **{"fillcolor": CLAIMED, "line": {"width": 0}, "layer": "below"},
        )
    made.add_trace(
        go.Scatter(
            **{"x": [judgment.low, judgment.high], "y": [0, 0], "mode": "lines"},
            **{"line": {"color": color, "width": 4}, "hoverinfo": "skip"},
        )
    )
    made.add_trace(
        go.Scatter(
            **{"x": [judgment.estimate], "y": [0], "mode": "markers"},
            marker={"color": color, "size": 12},
            hovertemplate=f"{told(judgment)}<extra></extra>",
        )
    )
    made.add_vline(x=0, line={"color": GREY, "width": 1.2})
    made.update_yaxes(visible=False, range=[-1.1, 1.1], fixedrange=True)
    made.update_xaxes(**{"fixedrange": True, "tickformat": "~g", "nticks": 6})
    made.update_xaxes(range=_window(judgment))
    made.update_layout(showlegend=False, hovermode="closest", margin={"t": 4, "b": 24})
    return made


def _window(judgment: Judgment) -> list[float]:
    """Return a range with room around what was measured, what is claimed, and 0."""
    shown = [0.0, judgment.estimate, judgment.low, judgment.high, *judgment.claimed]
    known = [float(x) for x in shown if np.isfinite(x)]
    room = 0.06 * ((max(known) - min(known)) or 1.0)
    return [min(known) - room, max(known) + room]
