"""Maps of value nets: what agents expect at each place, beside the optimum."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.agent_paths import fit_map_axes, grid_cells, grid_side, marks_trace
from app.figures.animation import FilmOptions, panel_titles
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Floats
from app.figures.theme import COLORS, assign_styles, with_alpha
from app.figures.trial_film import filmed_agents

PANEL, ABOVE, BELOW = 140, 60, 44  # pixels of a panel, of its titles, of the scale
SCALE = [[0.0, with_alpha(COLORS["blue"], 0.04)], [1.0, COLORS["blue"]]]
MOST_APART = 11  # cells along an edge that are drawn apart
EDGE = {"color": "#26303b", "width": 1.2}
WALL = "rgba(128,137,149,0.55)"
WORDS = ("at first", "adapted", "optimum")


class _Raster(NamedTuple):
    """Where places lie, and their values by label and word; NaN where a wall is."""

    x: Floats
    y: Floats
    values: Mapping[tuple[str, str], Floats]


def has_value_maps(film: Film) -> bool:
    """Whether a film tells what some agent's value net expects at places."""
    return any(name.endswith("/value_first") for name in film.arrays)


def value_maps_figure(
    film: Film, roles: Mapping[str, str], options: FilmOptions
) -> go.Figure:
    """Draw what each value net expects at places: at first, adapted, at best.

    Args:
        film: Artefact of kind "trials" for which `has_value_maps` holds.
        roles: Role by label, in the spec's order.
        options: Which trial, and how many agents in a row.
    """
    labels = [
        label
        for label in filmed_agents(film, roles)
        if f"{label}/value_first" in film.arrays
    ]
    raster = _read_raster(film, labels, options.task)
    columns = min(options.columns, len(labels)) * len(WORDS)
    made = _make_panels(math.ceil(len(raster.values) / columns), columns)
    for place, (label, word) in enumerate(raster.values):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        for trace in _panel(raster, label, word):
            made.add_trace(trace, **at)
        marks = marks_trace(film, label, options.task)
        # Seen on the darkest color and on the background.
        filled = [each.removesuffix("-open") for each in marks.marker.symbol]
        marks.update(marker={"symbol": filled, "color": "white", "line": EDGE})
        made.add_trace(marks, **at)
    fit_map_axes(made, film)
    # A grid would be seen through the palest colors.
    bare = {"showticklabels": False, "ticks": "", "constrain": "domain"}
    bare |= {"showgrid": False, "zeroline": False}
    made.update_xaxes(**bare)
    made.update_yaxes(**bare)
    made.layout.annotations = _titles(raster, labels, roles)
    made.update_layout(coloraxis=_color_axis(raster))
    return made


def _make_panels(rows: int, columns: int) -> go.Figure:
    """Return empty panels with their words."""
    height = rows * (PANEL + ABOVE) + BELOW
    made = make_subplots(
        rows,
        columns,
        horizontal_spacing=0.02,
        vertical_spacing=ABOVE / height if rows > 1 else 0,
    )
    style_figure(
        made,
        title="What the value net expects, by place",
        how_to_read="Reward per step that is left, were the agent there at the "
        "beginning of the trial and of its last episodes; beside it the optimum of the "
        "last episode. A critic with a memory counts all the episodes left, so at "
        "first its places differ little. Gray: walls. Where there is a key: without "
        "it.",
        alt="Value of each place by agent, at first and adapted, and its optimum",
        height=height,
    )
    made.update_layout(
        hovermode="closest",
        showlegend=False,
        margin={"t": ABOVE - 8, "r": 8, "b": BELOW},
    )
    return made


def _read_raster(film: Film, labels: list[str], trial: int) -> _Raster:
    """Read the values of one trial as rows of y by columns of x."""
    seen = np.asarray(film.arrays["places/seen"], dtype=np.float64)[trial]
    if film.info["picture"] == "grid":
        # Key and door: the places with the key come after those without it.
        count = grid_side(film) ** 2
        at = grid_cells(np.argmax(seen[:count], axis=1), grid_side(film))
    else:
        count, at = len(seen), seen
    x, column = np.unique(at[:, 0], return_inverse=True)
    y, row = np.unique(at[:, 1], return_inverse=True)

    def rows_of(name: str) -> Floats:
        cells = np.full((len(y), len(x)), np.nan, np.float32)
        cells[row, column] = np.asarray(film.arrays[name])[trial, :count]
        return cells

    best = rows_of("places/last")
    values = {}
    for label in labels:
        for word, time in zip(WORDS, ("first", "last"), strict=False):
            nobody = np.isnan(rows_of(f"places/{time}"))
            found = rows_of(f"{label}/value_{time}")
            values[label, word] = np.where(nobody, np.nan, found)
        values[label, WORDS[-1]] = best
    return _Raster(x, y, values)


def _panel(raster: _Raster, label: str, word: str) -> Iterator[go.Heatmap]:
    """Yield the walls and the values of a panel."""
    gap = 1 if len(raster.x) <= MOST_APART else 0  # gaps would hide small cells
    at: dict[str, Any] = {"x": raster.x, "y": raster.y, "xgap": gap, "ygap": gap}
    values = raster.values[label, word]
    walls = np.where(np.isnan(values), 1.0, np.nan)
    yield go.Heatmap(
        z=walls,
        **at,
        colorscale=[[0.0, WALL], [1.0, WALL]],
        showscale=False,
        hoverinfo="skip",
        uid=f"{label}:{word}:walls",
    )
    yield go.Heatmap(
        z=values,
        **at,
        coloraxis="coloraxis",
        hovertemplate="%{z:.2f} per step<extra></extra>",
        uid=f"{label}:{word}",
    )


def _color_axis(raster: _Raster) -> dict[str, Any]:
    """Return one scale for all panels, with all values and 0 in it."""
    known = np.concatenate([np.ravel(each) for each in raster.values.values()])
    known = known[np.isfinite(known)]
    low, high = float(known.min(initial=0.0)), float(known.max(initial=0.0))
    bar = {
        "title": {"text": " reward per step", "side": "right", "font": {"size": 12}},
        "orientation": "h",
        "len": 0.8,
        "x": 0.0,
        "xanchor": "left",
        "y": 0.0,
        "yanchor": "top",
        "ypad": 12,
        "thickness": 10,
        "outlinewidth": 0,
    }
    return {
        "colorscale": SCALE,
        "cmin": low,
        "cmax": high if high > low else low + 1.0,
        "colorbar": bar,
    }


def _titles(
    raster: _Raster, labels: list[str], roles: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the agents' names, each above its panels, and the panels' words."""
    names = panel_titles(labels, assign_styles(roles), {})
    made = []
    for place, (_, word) in enumerate(raster.values):
        axis = "" if place == 0 else str(place + 1)
        name = names[place // len(WORDS)]
        there = {"xref": f"x{axis} domain", "yref": f"y{axis} domain"}
        made.append(name | there | {"text": word, "font": {"size": 12}})
        if word == WORDS[0]:
            made.append(name | there | {"yshift": 20})
    return made
