"""Paths of agents in the plane or on a grid: before, during and after adaptation."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, lock_aspect, panel_titles
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Floats
from app.figures.theme import GREY, GRID, Style, assign_styles, with_alpha
from app.figures.trial_film import (
    filmed_agents,
    observations,
    return_remarks,
    shown_episodes,
)

PANEL, ABOVE = 260, 46  # pixels of a panel, and of the title above it
FADE = (0.3, 0.6, 1.0)  # the last episode is drawn in full color
WAYS = ("dot", "dash", "solid")
APART = 0.12  # cells between paths on a grid, which would hide each other


def paths_figure(
    film: Film, roles: Mapping[str, str], options: FilmOptions
) -> go.Figure:
    """Draw every agent's first, middle and last episode, one panel for each agent.

    Args:
        film: Artefact of kind "trials" whose form is "plane" or "grid".
        roles: Role by label, in the spec's order.
        options: Which trial, and how many panels in a row.
    """
    labels, styles = filmed_agents(film, roles), assign_styles(roles)
    columns = min(options.columns, len(labels))
    rows = math.ceil(len(labels) / columns)
    made = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.09 / columns,
        vertical_spacing=ABOVE / (rows * PANEL) if rows > 1 else 0,
    )
    shown = shown_episodes(film)
    numbers = ", ".join(str(episode + 1) for episode in shown)
    style_figure(
        made,
        title="Where agents went",
        how_to_read=f"Episodes {numbers} of one trial: dotted, dashed and solid, the "
        "last one in full color. Star: the goal, or the door whose key is the "
        "diamond; agents do not see them.",
        alt="Paths of each agent in the first, the middle and the last episode",
        height=rows * PANEL + 20,
    )
    for place, label in enumerate(labels):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        for trace in _panel(film, label, styles[label], options.task, shown):
            made.add_trace(trace, **at)
    fit_map_axes(made, film)
    remarks = return_remarks(film, labels, options.task, shown[-1])
    made.layout.annotations = panel_titles(labels, styles, remarks)
    made.update_layout(hovermode=False, showlegend=False, margin={"t": 42, "r": 8})
    return made


def _panel(
    film: Film, label: str, style: Style, trial: int, shown: Sequence[int]
) -> list[go.Scatter]:
    walls = _walls_trace(film, label, trial)
    traces = [] if walls is None else [walls]
    looks = list(zip(FADE, WAYS, strict=True))[-len(shown) :]
    apart = APART if film.info["picture"] == "grid" else 0.0
    for place, ((strength, dash), episode) in enumerate(zip(looks, shown, strict=True)):
        path = positions(film, label, trial, episode) + apart * (place - 1)
        traces.append(
            go.Scatter(
                x=path[:, 0],
                y=path[:, 1],
                mode="lines+markers" if len(path) == 1 else "lines",
                line={
                    "color": with_alpha(style.color, strength),
                    "dash": dash,
                    "width": 2,
                },
                uid=f"{label}:path{episode}",
            )
        )
    return [*traces, marks_trace(film, label, trial)]


def marks_trace(film: Film, label: str, trial: int) -> go.Scatter:
    """Return the goal or door, the key if there is one, and the start."""
    places = {
        "star": "task/goal" if "task/goal" in film.arrays else "task/door",
        "diamond": "task/key",
    }
    found = {
        symbol: place_position(film, name, trial)
        for symbol, name in places.items()
        if name in film.arrays
    }
    found["circle-open"] = positions(film, label, trial, 0)[0]
    at = np.stack(list(found.values()))
    return go.Scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        marker={"symbol": list(found), "size": 12, "color": GREY},
        uid=f"{label}:marks",
    )


def positions(film: Film, label: str, trial: int, episode: int) -> Floats:
    """Return where the agent was before each step; shape (step, 2)."""
    seen = observations(film, label, trial, episode)
    if film.info["picture"] == "grid":
        return grid_cells(np.argmax(seen, axis=1), grid_side(film))
    return seen[:, :2]


def place_position(film: Film, name: str, trial: int) -> Floats:
    """Return where a parameter of the task lies, such as its goal; shape (2,)."""
    place = np.asarray(film.arrays[name], dtype=np.float64)[trial]
    if film.info["picture"] == "grid":
        return grid_cells(place.astype(int)[:1], grid_side(film))[0]
    return place


def grid_side(film: Film) -> int:
    """Return how many cells a square grid has along an edge."""
    return math.isqrt(np.asarray(film.arrays["task/walls"]).shape[-1])


def grid_cells(cell: Any, side: int) -> Floats:
    """Return column and row of cells, which are numbered row by row from the bottom."""
    cell = np.asarray(cell) % (side * side)
    return np.stack([cell % side, cell // side], -1).astype(np.float64)


def _walls_trace(film: Film, label: str, trial: int) -> go.Scatter | None:
    """Return the walls of a grid as squares; None elsewhere."""
    if film.info["picture"] != "grid":
        return None
    walls = np.asarray(film.arrays["task/walls"])[trial].reshape(
        -1, grid_side(film) ** 2
    )
    at = grid_cells(np.flatnonzero(walls[0]), grid_side(film))
    side = 0.5
    corners = [(-side, -side), (side, -side), (side, side), (-side, side)]
    x = [v for c in at for v in (*(c[0] + dx for dx, _ in corners), None)]
    y = [v for c in at for v in (*(c[1] + dy for _, dy in corners), None)]
    return go.Scatter(
        x=x,
        y=y,
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor="rgba(128,137,149,0.45)",
        uid=f"{label}:walls",
    )


def fit_map_axes(figure: go.Figure, film: Film) -> None:
    """Show whole grids without ticks, and the plane at one scale."""
    if film.info["picture"] == "grid":
        ends = [-0.5, grid_side(film) - 0.5]
        bare = {"showticklabels": False, "ticks": "", "showgrid": False}
        edge = {"showline": True, "mirror": True, "linecolor": GRID}
        figure.update_xaxes(range=ends, **bare, **edge)
        figure.update_yaxes(range=ends, **bare, **edge)
    lock_aspect(figure)
