"""Motifs of architectures with their effects on accuracy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import make_figure
from app.figures.theme import GREY, INTERVAL_NAME, format_number

SHOWN, ROW = 16, 34
HELPS, HARMS = "#3f9552", "#ca3401"


def motifs_figure(found: Sequence[Any], shown: int = SHOWN) -> go.Figure:
    """Draw the largest effects of motifs with their intervals.

    Args:
        found: Motifs, the largest effect first.
        shown: How many at most.
    """
    known = [m for m in found if np.isfinite(m.effect.mean)][:shown]
    made = make_figure(
        title="Motifs",
        how_to_read="Marker: mean accuracy with the motif minus without it, task means "
        f"subtracted; bar: {INTERVAL_NAME}. Color: significant after correction over "
        f"all {len(found)} motifs. What a search trains is not a random sample.",
        alt="; ".join(
            f"{m.words} {format_number(100 * m.effect.mean)} points" for m in known
        )
        or "no motifs",
        height=64 + ROW * len(known),
    )
    for row, motif in enumerate(known):
        _add_motif(made, motif, -row)
    made.add_vline(x=0, line={"color": GREY, "width": 1.2})
    made.update_yaxes(visible=False, range=[-len(known) + 0.4, 0.9], fixedrange=True)
    made.update_xaxes(
        title_text="Effect on accuracy (percentage points)", tickformat="~g", nticks=7
    )
    made.update_layout(showlegend=False, hovermode="closest", margin={"t": 6, "l": 12})
    return made


def _add_motif(figure: go.Figure, motif: Any, y: float) -> None:
    mean, low, high = (100 * v for v in motif.effect[:3])
    color = GREY if not motif.is_significant else HELPS if mean > 0 else HARMS
    sign = "○" if not motif.is_significant else "▲" if mean > 0 else "▼"
    interval = f"{format_number(mean)} [{format_number(low)}, {format_number(high)}]"
    figure.add_trace(
        go.Scatter(
            x=[low, high],
            y=[y, y],
            mode="lines",
            hoverinfo="skip",
            line={"color": color, "width": 3},
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[mean],
            y=[y],
            mode="markers",
            marker={
                "color": color,
                "size": 10,
                "symbol": "circle" if motif.is_significant else "circle-open",
            },
            hovertemplate=f"{interval}<br>{motif.effect.n:,} with, "
            f"{motif.effect.rest:,} without<extra></extra>",
        )
    )
    sides = (
        ("left", 0, motif.words),
        (
            "right",
            1,
            f"<span style='color:{color}'>{sign}</span> <b>{format_number(mean)}</b>",
        ),
    )
    for anchor, x, text in sides:
        figure.add_annotation(
            text=text,
            x=x,
            xref="x domain",
            y=y + 0.42,
            xanchor=anchor,
            yanchor="middle",
            showarrow=False,
            font={"size": 12},
        )
