"""Diverged tasks where they are drawn: the share still alive, below a plot's axis."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.point_limit import thin_indices
from app.figures.theme import Style
from engine.contract.metrics import metric
from engine.stats.curves import Curve

STRIP, SPACE = 26, 20  # pixels: of the strip, and between it and the plot
FIRST_AXIS = 50  # strips have y axes of their own, beyond those of any panel


def cap_of(curves: Sequence[Curve]) -> float | None:
    """Return what a diverged task counts as in these curves; None if nothing does."""
    return next((c.counted_as for c in curves if c.counted_as is not None), None)


def name_capped(title: str, curves: Sequence[Curve]) -> str:
    """Return an axis title that names the cap of losses, where there is one.

    An accuracy of 0 is no cap.
    """
    cap = cap_of(curves)
    return f"{title}, capped at {cap:g}" if cap else title


def describe_alive(metric_name: str, curves: Sequence[Curve]) -> str:
    """Return how many tasks are alive at the end, and what the others count as.

    Args:
        metric_name: The metric of the curves.
        curves: Curves of one panel.
    """
    members = sum(curve.members for curve in curves)
    lost = sum(int(curve.missing_counts.max()) for curve in curves if curve.members)
    cap = cap_of(curves)
    told = f"Tasks not diverged: {members - lost:,} of {members:,}"
    if cap is not None:
        return f"{told}; others count as {cap:g}"
    # Errors, areas and steps always hold the worst value for a diverged task.
    return told if metric(metric_name).always else f"{told}; others left out"


def add_alive_strip(
    figure: go.Figure,
    metric_name: str,
    curves: Sequence[Curve],
    styles: Mapping[str, Style],
    row: int = 1,
) -> None:
    """Draw the share of tasks still alive in a thin strip below a panel's axis.

    Args:
        figure: The figure with its final margins; the strip makes it higher.
        metric_name: The metric of the curves.
        curves: The panel's curves; without a diverged task nothing is added.
        styles: Style by label.
        row: The panel, counted from 1; panels lie one below another.
    """
    if not any(curve.members and np.any(curve.missing_counts) for curve in curves):
        return
    own, x = ("", "") if row == 1 else (str(row), str(row))
    strip = f"{FIRST_AXIS + row}"
    bottom, top = figure.layout[f"yaxis{own}"].domain or (0.0, 1.0)
    figure.layout.height += STRIP + SPACE
    margin = figure.layout.margin
    pixels = figure.layout.height - (margin.t or 0) - (margin.b or 0)
    told = describe_alive(metric_name, curves)
    notes = (figure.layout.meta or {}).get("notes", [])
    figure.update_layout(meta={**(figure.layout.meta or {}), "notes": [*notes, told]})
    figure.update_layout(
        {
            f"yaxis{own}": {"domain": [bottom + (STRIP + SPACE) / pixels, top]},
            f"yaxis{strip}": {
                "domain": [bottom, bottom + STRIP / pixels],
                "anchor": f"x{x}",
                "range": [0.0, 1.08],
                "tickvals": [0, 1],
                "ticktext": ["0", "100 %"],
                "tickfont": {"size": 10},
                "fixedrange": True,
            },
            f"xaxis{x}": {"anchor": f"y{strip}"},
        }
    )
    for curve in curves:
        if curve.members:
            trace = _share_trace(curve, styles[curve.learner], strip)
            figure.add_trace(trace.update(xaxis=f"x{x}", yaxis=f"y{strip}"))
    figure.add_annotation(
        text=told,
        x=0,
        y=1,
        xref=f"x{x} domain",
        yref=f"y{strip} domain",
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        font={"size": 11},
        opacity=0.85,
    )


def _share_trace(curve: Curve, style: Style, strip: str) -> go.Scatter:
    alive = 1.0 - np.asarray(curve.missing_counts, dtype=float) / curve.members
    x = np.asarray(curve.x, dtype=float)
    kept = thin_indices(x, alive)
    return go.Scatter(
        x=x[kept],
        y=alive[kept],
        mode="lines",
        line={"color": style.color, "width": 1.6, "shape": "hv"},
        name=style.name,
        legendgroup=style.label,
        showlegend=False,
        uid=f"{style.label}:alive:{strip}",
        hovertemplate="%{y:.0%} alive",
    )
