"""Where in the space does a search look? All architectures on one sphere."""

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.canvas import figure
from app.figures.figure_types import Floats, Places, Roles
from app.figures.space_atlas import Atlas
from app.figures.sphere_mesh import FLAT, GROUND, Mesh, ball, dots, ribbons
from app.figures.theme import learner_name, number, styles

HEIGHT = 500
LIFT, HIGH = 1.006, 1.014  # of what was trained above the dots, and of ways
WAY = "#ff5a1f"
FAR, AWAY = 1.25, 1.02  # of the camera from the center; on phones, as much farther
WORST = 0.05  # the worst share that has one color
OFTEN = 0.75  # of how colors are spread: over architectures, not over accuracies
# Viridis: even steps of lightness, told apart by nearly all eyes.
INKS = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39",
        "#fde725")  # fmt: skip


class Journey(NamedTuple):
    """A search to be drawn: whose it is, which one; `every` evaluation is joined."""

    label: str
    search: int
    every: bool = False


def sphere_figure(
    atlas: Atlas,
    roles: Roles,
    journey: Journey | None = None,
    opened: int | None = None,
) -> go.Figure:
    """Draw all architectures of a listed space, and one search's path over them.

    Args:
        atlas: The space; it must have the map "sphere/xyz".
        roles: Role by label, in the spec's order.
        journey: The search.
        opened: An architecture to be marked.
    """
    points = atlas.places("sphere/xyz")
    assert points is not None
    made = figure(
        title="The sphere",
        read=_read(atlas),
        alt=_alt(atlas, journey),
        height=HEIGHT,
    )
    made.add_trace(ball())
    made.add_trace(_all(atlas, points))
    if journey is not None:
        for trace in _journey(atlas, points, roles, journey):
            made.add_trace(trace)
    if opened is not None:
        made.add_trace(_ring(points[opened], opened))
    bare = {"visible": False, "range": [-1.08, 1.08]}
    made.update_layout(
        scene={
            **{"xaxis": bare, "yaxis": bare, "zaxis": bare, "aspectmode": "cube"},
            "camera": {"eye": _eye(atlas, points, journey)},
            **{"dragmode": "orbit", "uirevision": str(journey)},
        },
        hovermode="closest",
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 4, "b": 46},
    )
    return made


def for_phones(made: go.Figure) -> go.Figure:
    """Return the layout of a sphere that fits a narrow screen, seen from farther."""
    narrow = go.Figure(layout=made.layout)
    eye = made.layout.scene.camera.eye
    narrow.layout.scene.camera.eye = {
        name: AWAY * eye[name] for name in ("x", "y", "z")
    }
    return narrow.update_layout(height=420)


def _read(atlas: Atlas) -> str:
    order = atlas.geometry.get("matter", [])
    first = ""
    if any(order):
        best = int(np.argmax(order))
        first = (
            f" “{atlas.positions[best]}” matters most alone ({order[best]:.0%} of the "
            "variance), so it sets the regions."
        )
    return (
        "Every architecture is a dot, the brighter the more accurate. Those that share "
        "the decisions that matter most stand together."
        f"{first} {atlas.trust('sphere')} Larger dots: trained. Line: the best so far, "
        "from the triangle to the square. Drag to turn; click a dot to open it."
    )


def _alt(atlas: Atlas, journey: Journey | None) -> str:
    told = f"Sphere of {atlas.size:,} architectures of {atlas.name}, by accuracy"
    if journey is None:
        return told
    count = len(atlas.path(journey.label, journey.search))
    return (
        f"{told}, with {count} evaluations of {learner_name(journey.label)} as a path"
    )


def colors(atlas: Atlas) -> dict[str, Any]:
    """Return how markers tell the accuracy of all architectures, percent."""
    scores = atlas.scores
    if scores is None or not np.isfinite(scores).any():
        return {"color": GROUND}
    known = 100 * scores[np.isfinite(scores)]
    low, high = float(np.quantile(known, WORST)), float(known.max())
    high = max(high, low + 1e-6)
    return {
        "color": (100 * scores).astype(np.float32),
        **{"colorscale": _scale(known, low, high), "cmin": low, "cmax": high},
        "colorbar": {
            **{"orientation": "h", "thickness": 10, "len": 0.7, "x": 0.5, "y": 0},
            **{"xanchor": "center", "yanchor": "top", "outlinewidth": 0},
            "title": {
                "text": f"Accuracy (%) · darkest: {number(low)} or less",
                **{"side": "top", "font": {"size": 12}},
            },
            **{"nticks": 5, "tickfont": {"size": 11}},
        },
    }


def _scale(known: Floats, low: float, high: float) -> list[list[Any]]:
    """Return a color scale that changes where there are architectures to tell apart.

    More evenly over architectures than over accuracies: most of a space is often
    nearly as good as its best.
    """
    share = np.linspace(0.0, 1.0, len(INKS))
    even = low + share * (high - low)
    often = np.quantile(known.clip(low, high), share)
    stops = ((1 - OFTEN) * even + OFTEN * often - low) / (high - low)
    stops[0], stops[-1] = 0.0, 1.0
    return [[float(s), ink] for s, ink in zip(stops, INKS, strict=True)]


def _all(atlas: Atlas, points: Floats) -> go.Mesh3d:
    there = np.arange(atlas.size)
    if atlas.scores is not None:
        there = np.flatnonzero(np.isfinite(atlas.scores))
    size = float(np.clip(0.36 * np.sqrt(4 * np.pi / max(len(there), 1)), 0.007, 0.05))
    # Triangles where there are many: what a renderer pays for is corners.
    mesh = dots(points[there], there, size, 3 if len(there) > 8_000 else 6)
    held = colors(atlas)
    told, shown = "", mesh.owner.astype(np.float32)
    if "cmin" in held:
        told = "accuracy %{customdata[1]:.2f} %<br>"
        shown = np.stack([shown, held["color"][mesh.owner]], -1)
        held["intensity"] = held.pop("color")[mesh.owner]
    return go.Mesh3d(
        **mesh.at(),
        **held,
        lighting=FLAT,
        customdata=shown,
        hovertemplate=told + _NUMBER.format("" if not told else "[0]"),
        uid="all",
    )


_NUMBER = "no. %{{customdata{}}}; click to open<extra></extra>"


def _journey(
    atlas: Atlas, points: Floats, roles: Roles, journey: Journey
) -> list[go.Mesh3d]:
    """Return what was trained as dots, and the way of the best so far."""
    look = styles(roles)[journey.label]
    path = atlas.path(journey.label, journey.search)
    if not len(path):
        return []
    best = [index for _, index in atlas.found(journey.label, journey.search)]
    order = np.arange(len(path))
    mesh = dots(LIFT * points[path], order, 0.017, 6)
    told = [f"evaluation {i + 1}, no. {at}" for i, at in enumerate(path)]
    if journey.every:
        mesh = ribbons(points[path], order, 0.006, HIGH).joined(mesh)
    tried = go.Mesh3d(
        **mesh.at(),
        **{"color": look.color, "lighting": FLAT, "uid": "tried"},
        customdata=path[mesh.owner].astype(np.int32),
        text=np.array(told, object)[mesh.owner],
        hovertemplate="%{text}<extra></extra>",
    )
    return [tried, *_way(points, np.array(best, np.int64))]


def _way(points: Floats, best: Places) -> list[go.Mesh3d]:
    """Return the way of the best so far, its start and its end."""
    if not len(best):
        return []
    shown = points[best]
    mesh = ribbons(shown, np.arange(len(best)), 0.016, HIGH)
    mesh = mesh.joined(dots(HIGH * shown, np.arange(len(best)), 0.022, 8))
    mesh = mesh.joined(dots(1.03 * shown[:1], np.array([0]), 0.05, 3))
    mesh = mesh.joined(dots(1.03 * shown[-1:], np.array([len(best) - 1]), 0.06, 4))
    told = [f"best so far, change {i + 1}, no. {at}" for i, at in enumerate(best)]
    told[0], told[-1] = f"start, no. {best[0]}", f"found, no. {best[-1]}"
    return [
        go.Mesh3d(
            **mesh.at(),
            **{"color": WAY, "lighting": FLAT, "uid": "way"},
            customdata=best[mesh.owner].astype(np.int32),
            text=np.array(told, object)[mesh.owner],
            hovertemplate="%{text}<extra></extra>",
        )
    ]


def _eye(atlas: Atlas, points: Floats, journey: Journey | None) -> dict[str, float]:
    """Return from where the sphere is seen: above what was found, and most dots."""
    best = atlas.found(journey.label, journey.search) if journey is not None else []
    front = np.asarray(points[best[-1][1]] if best else points[0], np.float64)
    around = points[points @ front > 0].mean(0)
    around /= max(float(np.linalg.norm(around)), 1e-6)
    seen = 0.5 * front + around
    seen = FAR * seen / max(float(np.linalg.norm(seen)), 1e-6)
    return {name: float(at) for name, at in zip("xyz", seen, strict=True)}


def _ring(point: Floats, index: int) -> go.Mesh3d:
    mesh = dots(1.04 * point[None], np.array([index]), 0.075, 24)
    return go.Mesh3d(
        **_hollow(mesh).at(),
        **{"color": "#ff3b7f", "lighting": FLAT, "hoverinfo": "skip", "uid": "opened"},
    )


def _hollow(mesh: Mesh) -> Mesh:
    """Return a polygon as a ring."""
    middle = mesh.corners.mean(0)
    inner, count = middle + 0.7 * (mesh.corners - middle), len(mesh.corners)
    here = np.arange(count)
    there = (here + 1) % count
    sides = [np.stack([here, there, here + count], -1)]
    sides.append(np.stack([there, there + count, here + count], -1))
    corners = np.concatenate([mesh.corners, inner])
    return Mesh(corners, np.concatenate(sides), np.tile(mesh.owner, 2))
