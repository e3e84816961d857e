"""What every figure shares: layout, axes, captions, legend, bands."""

import functools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.point_limit import MAX_POINTS, thin_indices
from app.figures.theme import (
    GREY,
    GRID,
    INTERVAL_NAME,
    PALETTE,
    ZERO,
    Style,
)

WIDEST = 12  # decades of a log axis that are shown whole
ABOVE, BELOW = 4, 7  # decades around the typical values, where there are more


def make_figure(
    traces: Iterable[Any] = (),
    *,
    title: str,
    how_to_read: str,
    alt: str,
    height: int = 320,
) -> go.Figure:
    """Return a figure in the common style.

    Args:
        traces: Plotly traces.
        title: What the panel shows; kept in `meta` for exports, since the page
            writes its own headings.
        how_to_read: One line on how to read it.
        alt: Text alternative for screen readers.
        height: Pixels.
    """
    # With a template from the start, Plotly copies none of its own.
    made = go.Figure(list(traces), layout={"template": _template()})
    style_figure(made, title=title, how_to_read=how_to_read, alt=alt, height=height)
    return made


def style_figure(
    figure: go.Figure, *, title: str, how_to_read: str, alt: str, height: int
) -> None:
    """Give a figure, such as one of subplots, the common style."""
    layout = figure.layout  # set one by one: `update_layout` takes three times as long
    if layout.template is not _template():
        layout.template = _template()
    layout.meta = {"title": title, "how_to_read": how_to_read, "alt": alt}
    layout.height = height
    layout.margin = {"l": 8, "r": 12, "t": 30, "b": 8}
    layout.uirevision = "metascope"


@functools.cache
def _template() -> go.layout.Template:
    axis = {
        **{"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": ZERO},
        **{"automargin": True, "ticks": "outside", "ticklen": 4, "tickcolor": GRID},
        **{"showline": False, "zeroline": False},
        "title": {"standoff": 6, "font": {"size": 12}},
    }
    return go.layout.Template(
        layout={
            **{"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"},
            **{"colorway": list(PALETTE), "hovermode": "x unified"},
            **{"xaxis": axis, "yaxis": axis, "font": {"size": 12}, "dragmode": "zoom"},
            "hoverlabel": {"namelength": -1, "font": {"size": 12}},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GREY},
        }
    )


def add_y_caption(figure: go.Figure, text: str, *, row: int = 1, col: int = 1) -> None:
    """Write the y axis' title horizontally above the axis, for legibility."""
    figure.add_annotation(
        text=text,
        x=0,
        y=1,
        xref="x domain",
        yref="y domain",
        xanchor="left",
        yanchor="bottom",
        yshift=4,
        showarrow=False,
        align="left",
        font={"size": 13},
        **({"row": row, "col": col} if figure._grid_ref is not None else {}),
    )


def add_legend_below(
    figure: go.Figure, labels: Iterable[str], *, base: int = 44
) -> None:
    """Put the legend under the plot, in room kept for it even at 390 px.

    Args:
        figure: The figure.
        labels: The legend's entries; they decide how many rows a phone needs.
        base: Pixels that tick labels and the axis title take.
    """
    rows = count_legend_rows(labels)
    figure.layout.margin.b = base + 21 * rows
    figure.layout.height = (figure.layout.height or 320) + 21 * (rows - 1)
    figure.layout.legend = {
        **{"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
        **{"xref": "container", "x": 0, "xanchor": "left"},
        **{"itemwidth": 34, "bgcolor": "rgba(0,0,0,0)", "tracegroupgap": 0},
    }


def count_legend_rows(labels: Iterable[str], *, width: int = 340) -> int:
    """Return how many rows a legend takes on a narrow screen, at most four.

    >>> (count_legend_rows(["SGD", "Adam"]),
    ...  count_legend_rows(["a learner of long name"] * 3))
    (1, 3)
    """
    rows, used = 1, 0
    for label in labels:
        need = 7 * len(label) + 52
        rows, used = (
            (rows + 1, need) if used and used + need > width else (rows, used + need)
        )
    return min(rows, 4)


def log_axis(*values: Any, most: int = 8) -> dict[str, Any]:
    """Return the settings of a log axis with few ticks, each a whole number.

    Of values over too many decades, those around the median are shown.

    Args:
        values: What will be drawn; only its range matters.
        most: The most ticks that fit.

    >>> log_axis(np.array([1e-3, 10.0]), most=6)["dtick"], log_axis([0.1, 1])["dtick"]
    (1, 'D2')
    """
    flat = np.concatenate([np.zeros(0), *(np.ravel(v) for v in values)])
    flat = flat[np.isfinite(flat) & (flat > 0)]
    settings: dict[str, Any] = {"type": "log", "tickformat": "~g", "tick0": 0}
    if not len(flat):
        return settings | {"dtick": 1, "range": [0, 2]}
    logs = np.log10(flat)
    low, high, least = float(flat.min()), float(flat.max()), float(logs.min())
    decades = float(logs.max()) - least
    if decades > WIDEST:
        middle, most_log = float(np.median(logs)), float(logs.max())
        least = max(least, middle - BELOW)
        decades = min(most_log, middle + ABOVE) - least
        settings["range"] = [least - 0.2, least + decades]
    if decades < 0.01:  # one value: left alone, Plotly would show two decades of ticks
        middle = math.log10(low)
        return settings | {"dtick": "D2", "range": [middle - 0.32, middle + 0.32]}
    if decades < 0.7:
        return settings | {"dtick": f"L{_round_step((high - low) / 4, low):.3g}"}
    coarse = max(1, math.ceil(decades / most))
    return settings | {"dtick": "D2" if 3 * decades <= most else coarse}


def _round_step(width: float, low: float) -> float:
    width = max(width, low / 20)
    unit = 10 ** math.floor(math.log10(width))
    return unit * min((1, 2, 5, 10), key=lambda k: abs(k - width / unit))


def names_axis() -> dict[str, Any]:
    """Return the settings of an axis of names: no grid, space before the plot."""
    return {"showgrid": False, "ticklen": 6, "tickcolor": "rgba(0,0,0,0)"}


def mask_nonpositive(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Replace what a log axis cannot show by NaN, and count it.

    Args:
        values: Any shape.

    Returns:
        The values with those at or below 0 as NaN, and how many there were.
    """
    values = np.asarray(values, dtype=float)
    bad = values <= 0
    return np.where(bad, np.nan, values), int(bad.sum())


def add_footnote(figure: go.Figure, *lines: str) -> None:
    """Write remarks above the plot's right end and keep them in `meta`."""
    said = [line for line in lines if line]
    if not said:
        return
    figure.update_layout(
        meta={**figure.layout.meta, "notes": said},
        margin_t=(figure.layout.margin.t or 30) + 15 * (len(said) - 1),
    )
    figure.add_annotation(
        text="<br>".join(said),
        x=1,
        y=1,
        xref="paper",
        yref="paper",
        showarrow=False,
        xanchor="right",
        yanchor="bottom",
        yshift=5,
        align="right",
        font={"size": 11},
        opacity=0.85,
        name="notes",
    )


def describe_band(n: Any) -> str:
    """Describe a band, with its n.

    >>> describe_band([8, 8, 7]), describe_band(1)
    ('95 % interval, n = 7–8', 'n = 1: no interval')
    """
    counts = np.atleast_1d(np.asarray(n, dtype=int))
    counts = counts[counts > 0]
    if not len(counts) or counts.max() < 2:
        return "n = 1: no interval"
    low, high = counts.min(), counts.max()
    return (
        f"{INTERVAL_NAME}, n = {high}"
        if low == high
        else f"{INTERVAL_NAME}, n = {low}–{high}"
    )


def band_trace(
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    style: Style,
    *,
    stairs: bool = False,
) -> go.Scatter | None:
    """Return the area between two lines, or None where there is none.

    Args:
        x: Positions, ascending, shape (n,).
        low: Lower ends; NaN leaves a position out.
        high: Upper ends.
        style: The learner's style.
        stairs: Values hold from one position to the next.
    """
    there = np.isfinite(low) & np.isfinite(high)
    if there.sum() < 2 or not (high > low).any():
        return None
    chosen = thin_indices(x, high - low, MAX_POINTS // (4 if stairs else 2) - 40)
    x, low, high, there = x[chosen], low[chosen], high[chosen], there[chosen]
    ends = np.flatnonzero(np.diff(there)) + 1
    parts = [part for part in np.split(np.arange(len(x)), ends) if there[part[0]]]
    loops = [_band_outline(x[p], low[p], high[p], stairs) for p in parts]
    return go.Scatter(
        x=np.concatenate([loop[0] for loop in loops])[:-1],
        y=np.concatenate([loop[1] for loop in loops])[:-1],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=style.fill(),
        hoverinfo="skip",
        showlegend=False,
        legendgroup=style.label,
        uid=f"{style.label}:band",
        name=f"{style.name}, {INTERVAL_NAME}",
    )


def _band_outline(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, stairs: bool
) -> tuple[np.ndarray, np.ndarray]:
    if stairs:
        x = np.repeat(x, 2)[1:]
        low, high = np.repeat(low, 2)[:-1], np.repeat(high, 2)[:-1]
    # Forth along the upper ends and back along the lower; NaN closes the polygon.
    around = np.concatenate([x, x[::-1], [np.nan]])
    return around, np.concatenate([high, low[::-1], [np.nan]])
