"""Heat maps of a metric by layer and inner step: where adaptation happens."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, panel_titles
from app.figures.figure_parts import names_axis, style_figure
from app.figures.figure_types import Floats, Roles
from app.figures.shift import DIVERGING, SEQUENTIAL
from app.figures.theme import assign_styles, format_number
from engine.contract.metrics import metric

ROW, HEAD, FOOT = 30, 30, 44  # pixels of a layer; above a panel; below it
SHOWN_DECADES = 2.0  # decades around the median that colors resolve; the rest saturates
MAX_TEXT_COLUMNS = 8  # up to so many columns each cell shows its number


class LayerGrid(NamedTuple):
    """Values of one learner, shape (layer, column), and what columns are.

    NaN is left blank.
    """

    values: Floats
    columns: tuple[float, ...]
    column_name: str = "inner step"


def layers_figure(
    grids: Mapping[str, LayerGrid],
    metric_name: str,
    roles: Roles,
    options: FilmOptions | None = None,
) -> go.Figure:
    """Draw a heat map per learner: layers as rows, steps as columns.

    Args:
        grids: By label; the first layer is at the top.
        metric_name: A name of `metrics.METRICS`.
        roles: Role by label, in the spec's order, which the panels keep.
        options: How many panels stand in a row.
    """
    options, kind = options or FilmOptions(), metric(metric_name)
    grids = {label: _trim_columns(grids[label]) for label in roles if label in grids}
    labels = list(grids)
    columns = min(options.columns, max(len(labels), 1))
    rows = max(math.ceil(len(labels) / columns), 1)
    deep = max((len(grids[label].values) for label in labels), default=1)
    height = (ROW * deep + HEAD + FOOT) * rows
    made = make_subplots(
        rows,
        columns,
        horizontal_spacing=0.16 / columns,
        vertical_spacing=(HEAD + FOOT) / height if rows > 1 else 0,
    )
    log, ends = _color_scale([grid.values for grid in grids.values()], kind.scale)
    signed = ends[0] < 0 and not log
    words = list(dict.fromkeys(grids[label].column_name for label in labels))
    style_figure(
        made,
        title=f"{kind.label} by layer and {' or '.join(words) or 'step'}",
        how_to_read="The stronger the color, the larger"
        + ("; orange: below 0. " if signed else ". ")
        + "Layer 1 is nearest to the input. One scale for all learners. Means over "
        "tasks and replicates, geometric for norms.",
        alt=_alt_text({label: grids[label] for label in labels}, kind.label),
        height=height,
    )
    for place, label in enumerate(labels):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        for trace in _cell_traces(grids[label], label, (log, *ends)):
            made.add_trace(trace, **at)
        made.update_xaxes(title_text=grids[label].column_name.capitalize(), **at)
    made.update_xaxes(names_axis() | {"title_standoff": 2, "fixedrange": True})
    made.update_xaxes(type="category", nticks=9, tickangle=0)
    made.update_yaxes(names_axis() | {"autorange": "reversed", "fixedrange": True})
    made.update_yaxes(type="category", tickprefix="layer ")
    notes = {label: _describe_range(grid.values) for label, grid in grids.items()}
    made.layout.annotations = panel_titles(labels, assign_styles(roles), notes)
    made.update_layout(hovermode="closest", margin={"t": HEAD, "b": FOOT, "l": 8})
    return made


def _trim_columns(grid: LayerGrid) -> LayerGrid:
    """Drop the steps without measurements."""
    values = np.asarray(grid.values, dtype=np.float64)
    kept = np.isfinite(values).any(axis=0)
    columns = tuple(c for c, keep in zip(grid.columns, kept, strict=True) if keep)
    return grid._replace(values=values[:, kept], columns=columns)


def _color_scale(grids: list[Floats], scale: str) -> tuple[bool, tuple[float, float]]:
    """Return whether the color scale is logarithmic, and its two ends."""
    held = np.concatenate([np.ravel(grid) for grid in grids] or [np.zeros(0)])
    held = held[np.isfinite(held)]
    above = held[held > 0]
    log = scale == "log" and len(above) > 0 and len(above) == len(held)
    if log:
        tens = np.log10(above)
        middle = float(np.median(tens))
        low = max(float(tens.min()), middle - SHOWN_DECADES)
        high = min(float(tens.max()), middle + SHOWN_DECADES)
        return True, (low, max(high, low + 0.3))
    most = float(np.abs(held).max()) if len(held) else 1.0
    low = 0.0 if not len(held) or held.min() >= 0 else -most
    return False, (low, most or 1.0)


def _cell_traces(
    grid: LayerGrid, label: str, scale: tuple[bool, float, float]
) -> list[go.Heatmap | go.Scatter]:
    log, low, high = scale
    values = np.asarray(grid.values, dtype=np.float64)
    text = [[format_number(v) if np.isfinite(v) else "" for v in row] for row in values]
    signed = low < 0 and not log
    x, y = [f"{c:g}" for c in grid.columns], [str(i + 1) for i in range(len(values))]
    cells = go.Heatmap(
        z=(np.log10(values) if log else values).astype(np.float32),
        x=x,
        y=y,
        zmin=low,
        zmax=high,
        showscale=False,
        colorscale=DIVERGING if signed else SEQUENTIAL,
        reversescale=signed,
        xgap=1.5,
        ygap=1.5,
        text=text,
        uid=f"{label}:layers",
        hovertemplate=f"layer %{{y}}, {grid.column_name} %{{x}}: "
        f"%{{text}}<extra></extra>",
    )
    if len(x) > MAX_TEXT_COLUMNS:
        return [cells]
    words = go.Scatter(
        x=x * len(y),
        y=[row for row in y for _ in x],
        mode="text",
        text=[word for row in text for word in row],
        textfont={"size": 11},
        hoverinfo="skip",
        showlegend=False,
        uid=f"{label}:numbers",
    )
    return [cells, words]


def _describe_range(values: Floats) -> str:
    held = np.asarray(values)[np.isfinite(values)]
    if not len(held):
        return ""
    return f"{format_number(float(held.min()))} to {format_number(float(held.max()))}"


def _alt_text(grids: Mapping[str, LayerGrid], title: str) -> str:
    said = [f"{a} from {_describe_range(grid.values)}" for a, grid in grids.items()]
    return f"{title} by layer: " + ("; ".join(said) or "none")
