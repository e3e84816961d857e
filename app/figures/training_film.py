"""Animations of training: decision boundaries, and paths over a loss landscape."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, add_controls, panel_titles, sample_frames
from app.figures.figure_parts import make_figure, style_figure
from app.figures.figure_types import Film, Floats, Roles
from app.figures.theme import Style, assign_styles, format_number

CLASS_COLORS = ("#0a2f73", "#6e2600")
CLASS_SYMBOLS = ("circle", "diamond")
# Even steps of lightness from the page's background to either class color.
BOUNDARY_SCALE = [
    [0.0, "rgba(38,112,214,0.85)"],
    [0.25, "rgba(64,134,232,0.50)"],
    [0.5, "rgba(128,137,149,0.07)"],
    [0.75, "rgba(236,137,48,0.50)"],
    [1.0, "rgba(217,100,10,0.85)"],
]
LAND_SCALE = [[0.0, "rgba(128,137,149,0.02)"], [1.0, "rgba(128,137,149,0.55)"]]


def boundary_figure(
    film: Film, roles: Roles, options: FilmOptions | None = None
) -> go.Figure:
    """Draw each learner's decision boundary growing on the same task.

    Args:
        film: Artefact of form "boundary".
        roles: Role by label, in the spec's order, which the panels keep.
        options: Which task, the losses in titles, and panels per row.

    Returns:
        A figure with frames, paused at the last one.
    """
    options = options or FilmOptions()
    labels = [label for label in roles if f"{label}/grid" in film.arrays]
    kept = sample_frames(len(film.arrays["frames"]))
    steps = [int(step) for step in np.asarray(film.arrays["frames"])[kept]]
    columns = min(options.columns, max(len(labels), 1))
    rows = max(math.ceil(len(labels) / columns), 1)
    made = make_subplots(
        rows, columns, horizontal_spacing=0.03 / columns, vertical_spacing=0.14 / rows
    )
    style_figure(
        made,
        title="The boundary, step by step",
        how_to_read="Color: the predicted class. Line: the boundary. "
        + ("Number: the training loss. " if options.losses else "")
        + "A good learner soon separates the dots.",
        alt=f"Decision boundaries of {', '.join(labels)} on one task after step "
        f"{steps[-1]}, with the task's points",
        height=90 + (250 if columns > 2 else 185) * rows,
    )
    for place, label in enumerate(labels):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        made.add_trace(_boundary_trace(film, label, (options.task, kept[-1])), **at)
        for dots in _point_traces(film, options.task):
            made.add_trace(dots, **at)
    bare = {"showgrid": False, "showticklabels": False, "ticks": ""}
    made.update_xaxes(**bare, constrain="domain", fixedrange=True)
    made.update_yaxes(**bare, constrain="domain", fixedrange=True)
    styles = assign_styles(roles)
    notes = [_loss_notes(labels, options.losses, frame) for frame in kept]
    heads = [panel_titles(labels, styles, each) for each in notes]
    made.layout.annotations = heads[-1]
    made.frames = [
        go.Frame(
            name=str(step),
            data=[
                _boundary_update(film, label, (options.task, frame)) for label in labels
            ],
            traces=[3 * place for place in range(len(labels))],
            layout={"annotations": head} if options.losses else None,
        )
        for step, frame, head in zip(steps, kept, heads, strict=True)
        if not options.only_layout
    ]
    add_controls(made, steps)
    made.update_layout(hovermode=False, showlegend=False, margin={"t": 28, "r": 8})
    return made


def _boundary_trace(
    film: Film, label: str, task_and_frame: tuple[int, int]
) -> go.Contour:
    task, frame = task_and_frame
    return go.Contour(
        z=np.asarray(film.arrays[f"{label}/grid"])[task, frame],
        x=np.asarray(film.arrays["x"], dtype=np.float32),
        y=np.asarray(film.arrays["y"], dtype=np.float32),
        zmin=0,
        zmax=255,
        colorscale=BOUNDARY_SCALE,
        showscale=False,
        contours={"coloring": "heatmap", "start": 127.5, "end": 127.5, "size": 1},
        line={"width": 2, "color": "#7d8590"},
        hoverinfo="skip",
        uid=f"{label}:boundary",
    )


def _boundary_update(
    film: Film, label: str, task_and_frame: tuple[int, int]
) -> dict[str, Any]:
    task, frame = task_and_frame
    return go.Contour(z=np.asarray(film.arrays[f"{label}/grid"])[task, frame])


def _point_traces(film: Film, task: int) -> list[go.Scatter]:
    points = np.asarray(film.arrays["points"], dtype=np.float32)[task]
    classes = np.asarray(film.arrays["labels"])[task].astype(int)
    ring = {"color": "rgba(255,255,255,0.95)", "width": 1}
    return [
        go.Scatter(
            x=points[classes == k, 0],
            y=points[classes == k, 1],
            mode="markers",
            marker={"color": color, "symbol": symbol, "size": 5.5 + k, "line": ring},
            hoverinfo="skip",
            name=f"class {k}",
        )
        for k, (color, symbol) in enumerate(
            zip(CLASS_COLORS, CLASS_SYMBOLS, strict=True)
        )
    ]


def _loss_notes(
    labels: Sequence[str], losses: Mapping[str, Floats] | None, frame: int
) -> dict[str, str]:
    losses = losses or {}
    return {a: format_number(float(losses[a][frame])) for a in labels if a in losses}


def path_figure(film: Film, roles: Roles, task: int = 0) -> go.Figure:
    """Draw the learners' paths over the landscape of a two-dimensional function.

    Args:
        film: Artefact of form "path".
        roles: Role by label, in the spec's order.
        task: Which task of the film.

    Returns:
        A figure with frames, paused at the end of the paths.
    """
    labels = [label for label in roles if f"{label}/path" in film.arrays]
    count = max((film.arrays[f"{a}/path"].shape[1] for a in labels), default=1)
    kept = sample_frames(count)
    made = make_figure(
        title="Paths on the loss landscape",
        how_to_read="Darker: higher loss (log scale). Ring: the common start; markers: "
        "current positions. Zigzags mean that steps are too large.",
        alt=f"Paths of {', '.join(labels)} over {count - 1} steps from one start",
        height=440,
    )
    made.add_trace(_landscape_trace(film, task))
    styles = assign_styles(roles)
    paths = {a: np.asarray(film.arrays[f"{a}/path"], np.float32)[task] for a in labels}
    for label, path in paths.items():
        made.add_trace(_path_trace(path, kept[-1], styles[label]))
    if paths:
        made.add_trace(_start_trace(next(iter(paths.values()))[0]))
    made.frames = [
        go.Frame(
            name=str(step),
            data=[_path_until(path, step) for path in paths.values()],
            traces=list(range(1, len(labels) + 1)),
        )
        for step in kept
    ]
    _fix_axes(made, film)
    add_controls(made, kept, below=26)
    made.update_layout(
        hovermode="closest",
        margin={"t": 34},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    )
    return made


def _fix_axes(figure: go.Figure, film: Film) -> None:
    x, y = np.asarray(film.arrays["x"]), np.asarray(film.arrays["y"])
    still = {"showgrid": False, "fixedrange": True, "tickformat": "~g", "nticks": 6}
    figure.update_xaxes(range=[float(x[0]), float(x[-1])], **still)
    figure.update_yaxes(range=[float(y[0]), float(y[-1])], **still)


def _landscape_trace(film: Film, task: int) -> go.Contour:
    return go.Contour(
        z=np.asarray(film.arrays["surface"], dtype=np.float32)[task],
        x=np.asarray(film.arrays["x"], dtype=np.float32),
        y=np.asarray(film.arrays["y"], dtype=np.float32),
        colorscale=LAND_SCALE,
        showscale=False,
        ncontours=14,
        contours={"coloring": "heatmap"},
        line={"width": 0.7, "color": "rgba(128,137,149,0.55)"},
        hovertemplate="log₁₀ loss %{z:.2f}<extra></extra>",
        uid="land",
    )


def _path_trace(path: Floats, step: int, style: Style) -> go.Scatter:
    drawn = _path_until(path, step)
    drawn.update(
        mode="lines+markers",
        line=style.line,
        name=style.name,
        uid=f"{style.label}:path",
        hovertemplate="%{x:.3g}, %{y:.3g}",
    )
    drawn.marker.update(color=style.color, symbol=style.symbol)
    drawn.marker.line = {"color": "rgba(255,255,255,0.9)", "width": 1}
    return drawn


def _path_until(path: Floats, step: int) -> go.Scatter:
    part = path[: step + 1]
    sizes = np.full(len(part), 0, dtype=np.uint8)
    sizes[-1] = 11
    return go.Scatter(x=part[:, 0], y=part[:, 1], marker={"size": sizes})


def _start_trace(point: Floats) -> go.Scatter:
    return go.Scatter(
        x=[float(point[0])],
        y=[float(point[1])],
        mode="markers",
        marker={"symbol": "circle-open", "size": 13, "color": "#7d8590"},
        name="start",
        hoverinfo="skip",
        showlegend=False,
        uid="start",
    )
