"""What do searches teach? Motifs with their effects, and what makes trainings fail."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.canvas import figure
from app.figures.theme import GREY, LEVEL, number

SHOWN, ROW = 16, 34
HELPS, HARMS = "#3f9552", "#ca3401"


def motifs_figure(found: Sequence[Any], shown: int = SHOWN) -> go.Figure:
    """Draw the largest effects of motifs with their intervals.

    Args:
        found: Motifs, the largest effect first.
        shown: How many at most.
    """
    known = [m for m in found if np.isfinite(m.effect.mean)][:shown]
    made = figure(
        title="Motifs",
        read="Mark: mean accuracy with the motif less that without it, task means "
        f"taken away; bar: {LEVEL}. Color: beyond chance, all {len(found)} motifs "
        "being looked at. What a search chose to train is no random sample.",
        alt="; ".join(f"{m.words} {number(100 * m.effect.mean)} points" for m in known)
        or "no motifs",
        height=64 + ROW * len(known),
    )
    for row, motif in enumerate(known):
        _bar(made, motif, -row)
    made.add_vline(x=0, line={"color": GREY, "width": 1.2})
    made.update_yaxes(visible=False, range=[-len(known) + 0.4, 0.9], fixedrange=True)
    made.update_xaxes(
        title_text="Effect on accuracy (percentage points)", tickformat="~g", nticks=7
    )
    made.update_layout(showlegend=False, hovermode="closest", margin={"t": 6, "l": 12})
    return made


def _bar(made: go.Figure, motif: Any, y: float) -> None:
    mean, low, high = (100 * v for v in motif.effect[:3])
    color = GREY if not motif.sure else HELPS if mean > 0 else HARMS
    sign = "○" if not motif.sure else "▲" if mean > 0 else "▼"
    told = f"{number(mean)} [{number(low)}, {number(high)}]"
    made.add_trace(
        go.Scatter(
            **{"x": [low, high], "y": [y, y], "mode": "lines", "hoverinfo": "skip"},
            line={"color": color, "width": 3},
        )
    )
    made.add_trace(
        go.Scatter(
            **{"x": [mean], "y": [y], "mode": "markers"},
            marker={"color": color, "size": 10,
                    "symbol": "circle" if motif.sure else "circle-open"},
            hovertemplate=f"{told}<br>{motif.effect.n:,} with, {motif.effect.rest:,} "
            "without<extra></extra>",
        )
    )  # fmt: skip
    sides = (
        ("left", 0, motif.words),
        (
            "right",
            1,
            f"<span style='color:{color}'>{sign}</span> <b>{number(mean)}</b>",
        ),
    )
    for anchor, x, text in sides:
        made.add_annotation(
            **{"text": text, "x": x, "xref": "x domain", "y": y + 0.42},
            **{"xanchor": anchor, "yanchor": "middle", "showarrow": False},
            font={"size": 12},
        )
