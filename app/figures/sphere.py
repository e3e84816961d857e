"""Where in the space does a search look? All architectures on one sphere."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.atlas import Atlas
from app.figures.canvas import figure
from app.figures.shapes import Floats, Places, Roles
from app.figures.theme import nice, number, styles

HEIGHT = 560
ARC, LIFT = 16, 1.02  # points of an arc; how far it floats above the ground
FAR = 1.3  # of the camera, from the center
GROUND = "#9aa2ad"
WORST = 0.05  # the worst share that has one color
# Viridis: even steps of lightness, told apart by nearly all eyes.
INKS = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39",
        "#fde725")  # fmt: skip


class Journey(NamedTuple):
    """A search to be drawn: whose it is, which one, and whether all of it."""

    label: str
    search: int
    every: bool = True


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
    made.add_trace(_ball())
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


def _read(atlas: Atlas) -> str:
    order = atlas.geometry.get("matter", [])
    first = ""
    if any(order):
        best = int(np.argmax(order))
        first = (
            f" {atlas.positions[best]} matters most alone ({order[best]:.0%} of the "
            "variance), so it sets the regions."
        )
    return (
        "Every architecture is a dot, the brighter the more accurate. Those that share "
        "the decisions that matter most stand together."
        f"{first} {atlas.trust('sphere')} Drag to turn; click a dot to open it."
    )


def _alt(atlas: Atlas, journey: Journey | None) -> str:
    told = f"Sphere of {atlas.size:,} architectures of {atlas.name}, by accuracy"
    if journey is None:
        return told
    count = len(atlas.path(journey.label, journey.search))
    return f"{told}, with {count} evaluations of {nice(journey.label)} as a path"


def _ball() -> go.Mesh3d:
    """Return an opaque ball under the dots: the far side must not shine through."""
    down = np.linspace(0, np.pi, 25)[:, None]
    around = np.linspace(0, 2 * np.pi, 49)[None]
    x, y = np.sin(down) * np.cos(around), np.sin(down) * np.sin(around)
    z = np.cos(down) + 0 * around
    still = {"ambient": 0.92, "diffuse": 0.12, "specular": 0.0, "fresnel": 0.0}
    return go.Surface(
        **{name: 0.985 * part.astype(np.float32)
           for name, part in zip("xyz", (x, y, z), strict=True)},
        **{"showscale": False, "hoverinfo": "skip", "lighting": still},
        colorscale=[[0, GROUND], [1, GROUND]],
        uid="ball",
    )  # fmt: skip


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

    Half evenly over accuracies, half evenly over architectures: most of a space is
    often nearly as good as its best.
    """
    share = np.linspace(0.0, 1.0, len(INKS))
    even = low + share * (high - low)
    often = np.quantile(known.clip(low, high), share)
    stops = (0.5 * (even + often) - low) / (high - low)
    stops[0], stops[-1] = 0.0, 1.0
    return [[float(s), ink] for s, ink in zip(stops, INKS, strict=True)]


def _all(atlas: Atlas, points: Floats) -> go.Scatter3d:
    there = np.arange(atlas.size)
    if atlas.scores is not None:
        there = np.flatnonzero(np.isfinite(atlas.scores))
    held = colors(atlas)
    if atlas.scores is not None:
        held["color"] = held["color"][there] if len(there) else GROUND
    size = 2.2 if len(there) > 6_000 else 3.2 if len(there) > 1_000 else 5.0
    told = "accuracy %{marker.color:.2f} %<br>" if atlas.scores is not None else ""
    return go.Scatter3d(
        **_at(points[there]),
        mode="markers",
        marker={**held, "size": size, "line": {"width": 0}, "opacity": 1.0},
        customdata=there.astype(np.int32),
        hovertemplate=told + "no. %{customdata}; click to open<extra></extra>",
        uid="all",
    )


def _at(points: Floats) -> dict[str, Floats]:
    flat = np.asarray(points, np.float32)
    return {"x": flat[:, 0], "y": flat[:, 1], "z": flat[:, 2]}


def _journey(
    atlas: Atlas, points: Floats, roles: Roles, journey: Journey
) -> list[go.Scatter3d]:
    look = styles(roles)[journey.label]
    path = atlas.path(journey.label, journey.search)
    best = atlas.found(journey.label, journey.search)
    shown = path if journey.every else np.array([at for _, at in best], np.int64)
    if not len(shown):
        return []
    width = 3.0 if journey.every else 5.0
    tried = go.Scatter3d(
        **_at(LIFT * points[shown]),
        mode="markers",
        marker={"color": look.color, "size": 4, "line": {"width": 0}},
        customdata=shown.astype(np.int32),
        text=_steps(shown, best, journey.every),
        hovertemplate="%{text}, no. %{customdata}<extra></extra>",
        uid="tried",
    )
    way = go.Scatter3d(
        **_at(arcs(points[shown])),
        **{"mode": "lines", "hoverinfo": "skip", "uid": "way"},
        line={"color": look.color,
              "width": width},
    )  # fmt: skip
    ends = [int(shown[0]), best[-1][1] if best else int(shown[-1])]
    return [way, tried, _ends(points[ends], ends, look.color)]


def _eye(atlas: Atlas, points: Floats, journey: Journey | None) -> dict[str, float]:
    """Return from where the sphere is seen: above what the search found."""
    best = atlas.found(journey.label, journey.search) if journey is not None else []
    front = points[best[-1][1]] if best else np.array([0.7, 0.7, 0.3])
    aside = np.cross(front, (0.0, 0.0, 1.0))
    seen = front + 0.35 * aside + np.array([0.0, 0.0, 0.25])
    seen = FAR * seen / max(float(np.linalg.norm(seen)), 1e-6)
    return {name: float(at) for name, at in zip("xyz", seen, strict=True)}


def _steps(shown: Places, best: Sequence[tuple[int, int]], every: bool) -> list[str]:
    if every:
        return [f"evaluation {i + 1}" for i in range(len(shown))]
    return [f"best so far from evaluation {step}" for step, _ in best]


def _ends(points: Floats, which: list[int], color: str) -> go.Scatter3d:
    return go.Scatter3d(
        **_at(1.03 * points),
        mode="markers+text",
        marker={
            **{"symbol": ["circle-open", "diamond"], "size": [9, 8], "color": color},
            "line": {"color": "#ffffff", "width": 2},
        },
        text=["start", "found"],
        **{"textposition": "top center", "textfont": {"size": 13}},
        customdata=which,
        hovertemplate="%{text}, no. %{customdata}<extra></extra>",
        uid="ends",
    )


def _ring(point: Floats, index: int) -> go.Scatter3d:
    return go.Scatter3d(
        **_at(1.03 * point[None]),
        mode="markers",
        marker={"symbol": "circle-open", "size": 13, "color": "#ff3b7f",
                "line": {"width": 4, "color": "#ff3b7f"}},
        **{"customdata": [index], "hoverinfo": "skip", "uid": "opened"},
    )  # fmt: skip


def arcs(points: Floats) -> Floats:
    """Return the shortest ways over the sphere through some points, in order.

    >>> ends = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    >>> bool(np.allclose(np.linalg.norm(arcs(ends), axis=1), LIFT))
    True
    """
    if len(points) < 2:
        return LIFT * np.asarray(points, np.float32)
    start, end = np.asarray(points[:-1], float), np.asarray(points[1:], float)
    angle = np.arccos((start * end).sum(-1).clip(-1.0, 1.0))[:, None, None]
    # Opposite points have no shortest way: any will do.
    angle = np.minimum(angle, np.pi - 1e-3)
    share = np.linspace(0.0, 1.0, ARC)[None, :, None]
    near = np.maximum(np.sin(angle), 1e-9)
    between = np.sin((1 - share) * angle) * start[:, None]
    between = (between + np.sin(share * angle) * end[:, None]) / near
    still = angle < 1e-6
    between = np.where(still, start[:, None], between)
    norm = np.linalg.norm(between, axis=-1, keepdims=True)
    raised = LIFT * between / np.maximum(norm, 1e-9)
    return np.asarray(raised.reshape(-1, 3), np.float32)
