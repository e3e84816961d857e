"""All architectures of a space on a sphere, with the path of one search."""

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import make_figure
from app.figures.figure_types import Floats, Indices, Roles
from app.figures.space_film_reader import SpaceFilm
from app.figures.sphere_shapes import (
    FLAT,
    GROUND,
    Mesh,
    ball_trace,
    dot_mesh,
    ribbon_mesh,
)
from app.figures.theme import assign_styles, format_number, learner_name

HEIGHT = 500
LIFT, HIGH = 1.006, 1.014  # height above the dots: of trained architectures, of paths
PATH_COLOR = "#ff5a1f"
FAR, AWAY = 1.25, 1.02  # distance of the camera from the center; factor on phones
WORST = 0.05  # the worst share of architectures, all in one color
COLOR_SPREAD = (
    0.75  # how far colors are spread over ranks rather than accuracies, 0 to 1
)
# Viridis: even steps of lightness, safe for color-blind readers.
COLORS = (
    "#440154",
    "#46327e",
    "#365c8d",
    "#277f8e",
    "#1fa187",
    "#4ac16d",
    "#a0da39",
    "#fde725",
)


class SearchPath(NamedTuple):
    """The search to draw: strategy, number, and whether to connect all evaluations."""

    label: str
    search: int
    joins_every: bool = False


def sphere_figure(
    space_film: SpaceFilm,
    roles: Roles,
    search_path: SearchPath | None = None,
    opened: int | None = None,
) -> go.Figure:
    """Draw all architectures of a listed space, and one search's path over them.

    Args:
        space_film: The space; it must have the map "sphere/xyz".
        roles: Role by label, in the spec's order.
        search_path: The search.
        opened: An architecture to mark.
    """
    points = space_film.coordinates("sphere/xyz")
    assert points is not None
    made = make_figure(
        title="The sphere",
        how_to_read=_how_to_read(space_film),
        alt=_alt_text(space_film, search_path),
        height=HEIGHT,
    )
    made.add_trace(ball_trace())
    made.add_trace(_all_dots(space_film, points))
    if search_path is not None:
        for trace in _path_traces(space_film, points, roles, search_path):
            made.add_trace(trace)
    if opened is not None:
        made.add_trace(_ring_trace(points[opened], opened))
    bare = {"visible": False, "range": [-1.08, 1.08]}
    made.update_layout(
        scene={
            **{"xaxis": bare, "yaxis": bare, "zaxis": bare, "aspectmode": "cube"},
            "camera": {"eye": _camera_position(space_film, points, search_path)},
            **{"dragmode": "orbit", "uirevision": str(search_path)},
        },
        hovermode="closest",
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 4, "b": 46},
    )
    return made


def phone_layout(figure: go.Figure) -> go.Figure:
    """Return the sphere's layout for narrow screens: the camera is farther away."""
    narrow = go.Figure(layout=figure.layout)
    eye = figure.layout.scene.camera.eye
    narrow.layout.scene.camera.eye = {
        name: AWAY * eye[name] for name in ("x", "y", "z")
    }
    return narrow.update_layout(height=420)


def _how_to_read(space_film: SpaceFilm) -> str:
    order = space_film.geometry.get("matter", [])
    first = ""
    if any(order):
        best = int(np.argmax(order))
        first = (
            f" “{space_film.positions[best]}” matters most alone ({order[best]:.0%} of "
            "the variance), so it sets the regions."
        )
    return (
        "Every architecture is a dot, the brighter the more accurate. Those that share "
        f"the decisions that matter most stand together.{first} "
        f"{space_film.describe_trust('sphere')} Larger dots: trained. Line: the best "
        "so far, from the triangle to the square. Drag to turn; click a dot to open it."
    )


def _alt_text(space_film: SpaceFilm, search_path: SearchPath | None) -> str:
    alt = (
        f"Sphere of {space_film.size:,} architectures of {space_film.name}, by accuracy"
    )
    if search_path is None:
        return alt
    count = len(space_film.trained_indices(search_path.label, search_path.search))
    return (
        f"{alt}, with {count} evaluations of {learner_name(search_path.label)} "
        "as a path"
    )


def accuracy_colors(space_film: SpaceFilm) -> dict[str, Any]:
    """Return the marker settings that color all architectures by accuracy, percent."""
    scores = space_film.scores
    if scores is None or not np.isfinite(scores).any():
        return {"color": GROUND}
    known = 100 * scores[np.isfinite(scores)]
    low, high = float(np.quantile(known, WORST)), float(known.max())
    high = max(high, low + 1e-6)
    return {
        "color": (100 * scores).astype(np.float32),
        **{"colorscale": _color_scale(known, low, high), "cmin": low, "cmax": high},
        "colorbar": {
            **{"orientation": "h", "thickness": 10, "len": 0.7, "x": 0.5, "y": 0},
            **{"xanchor": "center", "yanchor": "top", "outlinewidth": 0},
            "title": {
                "text": f"Accuracy (%) · darkest: {format_number(low)} or less",
                **{"side": "top", "font": {"size": 12}},
            },
            **{"nticks": 5, "tickfont": {"size": 11}},
        },
    }


def _color_scale(known: Floats, low: float, high: float) -> list[list[Any]]:
    """Return a color scale that resolves the accuracies where most architectures are.

    It is spread over ranks rather than accuracies, since most of a space is often
    nearly as good as its best.
    """
    share = np.linspace(0.0, 1.0, len(COLORS))
    even = low + share * (high - low)
    often = np.quantile(known.clip(low, high), share)
    stops = ((1 - COLOR_SPREAD) * even + COLOR_SPREAD * often - low) / (high - low)
    stops[0], stops[-1] = 0.0, 1.0
    return [[float(s), ink] for s, ink in zip(stops, COLORS, strict=True)]


def _all_dots(space_film: SpaceFilm, points: Floats) -> go.Mesh3d:
    there = np.arange(space_film.size)
    if space_film.scores is not None:
        there = np.flatnonzero(np.isfinite(space_film.scores))
    # Dots shrink with their number, but stay visible and clickable.
    size = float(np.clip(0.36 * np.sqrt(4 * np.pi / max(len(there), 1)), 0.007, 0.05))
    # Triangles if there are many: the cost of rendering is in corners.
    mesh = dot_mesh(points[there], there, size, 3 if len(there) > 8_000 else 6)
    held = accuracy_colors(space_film)
    hover, shown = "", mesh.owner.astype(np.float32)
    if "cmin" in held:
        hover = "accuracy %{customdata[1]:.2f} %<br>"
        shown = np.stack([shown, held["color"][mesh.owner]], -1)
        held["intensity"] = held.pop("color")[mesh.owner]
    return go.Mesh3d(
        **mesh.as_arguments(),
        **held,
        lighting=FLAT,
        customdata=shown,
        hovertemplate=hover + _NUMBER.format("" if not hover else "[0]"),
        uid="all",
    )


_NUMBER = "no. %{{customdata{}}}; click to open<extra></extra>"


def _path_traces(
    space_film: SpaceFilm, points: Floats, roles: Roles, search_path: SearchPath
) -> list[go.Mesh3d]:
    """Return trained architectures as dots, and the path of the best so far."""
    style = assign_styles(roles)[search_path.label]
    path = space_film.trained_indices(search_path.label, search_path.search)
    if not len(path):
        return []
    best = [
        index
        for _, index in space_film.best_so_far(search_path.label, search_path.search)
    ]
    order = np.arange(len(path))
    mesh = dot_mesh(LIFT * points[path], order, 0.017, 6)
    texts = [f"evaluation {i + 1}, no. {at}" for i, at in enumerate(path)]
    if search_path.joins_every:
        mesh = ribbon_mesh(points[path], order, 0.006, HIGH).join(mesh)
    tried = go.Mesh3d(
        **mesh.as_arguments(),
        color=style.color,
        lighting=FLAT,
        uid="tried",
        customdata=path[mesh.owner].astype(np.int32),
        text=np.array(texts, object)[mesh.owner],
        hovertemplate="%{text}<extra></extra>",
    )
    return [tried, *_best_path_traces(points, np.array(best, np.int64))]


def _best_path_traces(points: Floats, best: Indices) -> list[go.Mesh3d]:
    """Return the path of the best so far, its start and its end."""
    if not len(best):
        return []
    shown = points[best]
    mesh = ribbon_mesh(shown, np.arange(len(best)), 0.016, HIGH)
    mesh = mesh.join(dot_mesh(HIGH * shown, np.arange(len(best)), 0.022, 8))
    mesh = mesh.join(dot_mesh(1.03 * shown[:1], np.array([0]), 0.05, 3))
    mesh = mesh.join(dot_mesh(1.03 * shown[-1:], np.array([len(best) - 1]), 0.06, 4))
    texts = [f"best so far, change {i + 1}, no. {at}" for i, at in enumerate(best)]
    texts[0], texts[-1] = f"start, no. {best[0]}", f"found, no. {best[-1]}"
    return [
        go.Mesh3d(
            **mesh.as_arguments(),
            color=PATH_COLOR,
            lighting=FLAT,
            uid="way",
            customdata=best[mesh.owner].astype(np.int32),
            text=np.array(texts, object)[mesh.owner],
            hovertemplate="%{text}<extra></extra>",
        )
    ]


def _camera_position(
    space_film: SpaceFilm, points: Floats, search_path: SearchPath | None
) -> dict[str, float]:
    """Return the camera's direction: above the found architecture and most dots."""
    best = (
        space_film.best_so_far(search_path.label, search_path.search)
        if search_path is not None
        else []
    )
    front = np.asarray(points[best[-1][1]] if best else points[0], np.float64)
    around = points[points @ front > 0].mean(0)
    around /= max(float(np.linalg.norm(around)), 1e-6)
    seen = 0.5 * front + around
    seen = FAR * seen / max(float(np.linalg.norm(seen)), 1e-6)
    return {name: float(at) for name, at in zip("xyz", seen, strict=True)}


def _ring_trace(point: Floats, index: int) -> go.Mesh3d:
    mesh = dot_mesh(1.04 * point[None], np.array([index]), 0.075, 24)
    return go.Mesh3d(
        **_hollow_out(mesh).as_arguments(),
        color="#ff3b7f",
        lighting=FLAT,
        hoverinfo="skip",
        uid="opened",
    )


def _hollow_out(mesh: Mesh) -> Mesh:
    """Return a ring instead of a full polygon."""
    middle = mesh.corners.mean(0)
    inner, count = middle + 0.7 * (mesh.corners - middle), len(mesh.corners)
    here = np.arange(count)
    there = (here + 1) % count
    sides = [np.stack([here, there, here + count], -1)]
    sides.append(np.stack([there, there + count, here + count], -1))
    corners = np.concatenate([mesh.corners, inner])
    return Mesh(corners, np.concatenate(sides), np.tile(mesh.owner, 2))
