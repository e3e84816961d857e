"""Heat maps of what a read looks at: attention to examples, usage of a memory."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, panel_titles
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Floats, Roles
from app.figures.shift import DIVERGING, SEQUENTIAL
from app.figures.theme import assign_styles, format_number
from engine.contract.metrics import metric

PANEL, HEAD, FOOT = 220, 30, 44  # pixels of a panel; above it; below it


class MapAxes(NamedTuple):
    """What the columns and the rows of a map are, and how to read it."""

    columns: str
    rows: str
    how_to_read: str


AXES = {
    "attention": MapAxes(
        "Support example",
        "Query",
        "Each row is a query: the stronger a cell, the more its answer looks at that "
        "example of the support.",
    ),
    "memory_usage": MapAxes(
        "Examples seen",
        "Memory slot",
        "Each row is a slot of the memory: the stronger a cell, the more it was read "
        "or written up to that example.",
    ),
}


def maps_figure(
    maps: Mapping[str, Floats],
    metric_name: str,
    roles: Roles,
    options: FilmOptions | None = None,
) -> go.Figure:
    """Draw a map per learner, each with colors of its own.

    Args:
        maps: By label; shape (row, column).
        metric_name: "attention" or "memory_usage".
        roles: Role by label, in the spec's order, which the panels keep.
        options: How many panels stand in a row.
    """
    options, words = options or FilmOptions(), AXES[metric_name]
    shown = {label: maps[label] for label in roles if label in maps}
    labels = list(shown)
    columns = min(options.columns, max(len(labels), 1))
    rows = max(math.ceil(len(labels) / columns), 1)
    height = (PANEL + HEAD + FOOT) * rows
    made = make_subplots(
        rows,
        columns,
        horizontal_spacing=0.14 / columns,
        vertical_spacing=(HEAD + FOOT) / height if rows > 1 else 0,
    )
    style_figure(
        made,
        title=metric(metric_name).label,
        how_to_read=f"{words.how_to_read}{_negative_note(shown)} First validation "
        "episode of the first replicate, cut at 64; each learner has its own scale.",
        alt=_alt_text(shown, metric_name),
        height=height,
    )
    for place, label in enumerate(labels):
        cells = _cells(maps[label], label, words)
        made.add_trace(cells, row=place // columns + 1, col=place % columns + 1)
    still = {"showgrid": False, "fixedrange": True, "tickformat": "d", "nticks": 6}
    made.update_xaxes(title_text=words.columns, title_standoff=2, **still)
    made.update_yaxes(autorange="reversed", title_text=words.rows, **still)
    notes = {label: _describe_range(maps[label]) for label in labels}
    made.layout.annotations = panel_titles(labels, assign_styles(roles), notes)
    made.update_layout(hovermode="closest", margin={"t": HEAD, "b": FOOT, "l": 8})
    return made


def _negative_note(maps: Mapping[str, Floats]) -> str:
    below = any((values < 0).any() for values in maps.values())
    return " Orange: below 0." if below else ""


def _cells(values: Floats, label: str, words: MapAxes) -> go.Heatmap:
    held = np.asarray(values, dtype=np.float32)
    finite = held[np.isfinite(held)]
    most = float(np.abs(finite).max(initial=0.0)) or 1.0
    signed = bool((finite < 0).any())
    return go.Heatmap(
        z=held,
        x0=1,
        dx=1,
        y0=1,
        dy=1,
        zmin=-most if signed else 0.0,
        zmax=most,
        colorscale=DIVERGING if signed else SEQUENTIAL,
        reversescale=signed,
        showscale=False,
        uid=f"{label}:map",
        hovertemplate=f"{words.rows.lower()} %{{y}}, {words.columns.lower()} %{{x}}: "
        "%{z:.3g}<extra></extra>",
    )


def _describe_range(values: Floats) -> str:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "not finite"
    return (
        f"{format_number(float(finite.min()))} to {format_number(float(finite.max()))}"
    )


def _alt_text(maps: Mapping[str, Floats], metric_name: str) -> str:
    sizes = [f"{label} {v.shape[0]} by {v.shape[1]}" for label, v in maps.items()]
    return f"{metric(metric_name).label}: " + ("; ".join(sizes) or "none")
