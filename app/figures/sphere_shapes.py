"""Shapes on a sphere as meshes, which renderers without a GPU draw fast."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_types import Floats, Indices

GROUND, RADIUS = "#9aa2ad", 0.994
STEP = np.radians(9.0)  # segments of an arc
# Ambient light only, so that colors are drawn unchanged.
FLAT = {"ambient": 1.0, "diffuse": 0.0, "specular": 0.0, "fresnel": 0.0}
SOFT = {"ambient": 0.9, "diffuse": 0.14, "specular": 0.0, "fresnel": 0.0}


class Mesh(NamedTuple):
    """Corners (corner, 3), triangles (triangle, 3), and the owner of each corner."""

    corners: Floats
    triangles: Indices
    owner: Indices

    def join(self, other: "Mesh") -> "Mesh":
        """Return both meshes as one."""
        moved = other.triangles + len(self.corners)
        return Mesh(
            np.concatenate([self.corners, other.corners]),
            np.concatenate([self.triangles, moved]),
            np.concatenate([self.owner, other.owner]),
        )

    def as_arguments(self) -> dict[str, Floats | Indices]:
        """Return the mesh as arguments of `go.Mesh3d`."""
        places, ends = self.corners.astype(np.float32), self.triangles.astype(np.uint32)
        held = {name: places[:, at] for at, name in enumerate("xyz")}
        return held | {name: ends[:, at] for at, name in enumerate("ijk")}


def ball_trace() -> go.Mesh3d:
    """Return an opaque ball under the dots, which hides the far side."""
    rows, columns = 24, 48
    down = np.linspace(0, np.pi, rows + 1)[:, None]
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    parts = (np.sin(down) * np.cos(around), np.sin(down) * np.sin(around))
    corners = np.stack([*parts, np.cos(down) + 0 * around], -1).reshape(-1, 3)
    first = np.arange(rows * columns)
    right = first // columns * columns + (first + 1) % columns
    triangles = np.concatenate(
        [
            np.stack([first, right, first + columns], -1),
            np.stack([right, right + columns, first + columns], -1),
        ]
    )
    mesh = Mesh(RADIUS * corners, triangles, np.zeros(len(corners), np.int64))
    return go.Mesh3d(
        **mesh.as_arguments(), color=GROUND, lighting=SOFT, hoverinfo="skip", uid="ball"
    )


def dot_mesh(points: Floats, owner: Indices, size: float, corners: int = 4) -> Mesh:
    """Return a small polygon around each point, flat on the ball.

    Args:
        points: Shape (point, 3).
        owner: Index of each point's architecture; shape (point,).
        size: From center to corner, in radii of the ball.
        corners: Number of corners.
    """
    east, north = tangents(points)
    turn = 2 * np.pi * (np.arange(corners) + 0.5) / corners
    around = np.cos(turn)[:, None, None] * east + np.sin(turn)[:, None, None] * north
    count = len(points)
    first = np.arange(count)
    triangles = [
        np.stack([first, first + c * count, first + (c + 1) * count], -1)
        for c in range(1, corners - 1)
    ]
    flat = (points + size * around).reshape(-1, 3)
    return Mesh(flat, np.concatenate(triangles), np.tile(owner, corners))


def tangents(points: Floats) -> tuple[Floats, Floats]:
    """Return two orthogonal tangent directions at each point.

    Args:
        points: On the unit sphere, shape (point, 3).

    Returns:
        East and north unit vectors, each of shape (point, 3).
    """
    held = np.asarray(points, np.float64)
    # At the poles east is undefined: use another axis there.
    poles = np.abs(held[:, 2:]) > 0.999
    east = np.cross(np.where(poles, (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)), held)
    east /= np.maximum(np.linalg.norm(east, axis=1, keepdims=True), 1e-9)
    return east, np.cross(held, east)


def ribbon_mesh(points: Floats, owner: Indices, width: float, lift: float) -> Mesh:
    """Return the great-circle path through some points, as narrow bands.

    Args:
        points: On the unit sphere, in order; shape (point, 3).
        owner: Index of each point's architecture; a band belongs to its end.
        width: Width of a band, in radii.
        lift: Distance of the band from the center, in radii.
    """
    corners, triangles, owners, count = [], [], [], 0
    for start, end, mine in zip(points[:-1], points[1:], owner[1:], strict=True):
        way = arc(start, end)
        if len(way) < 2:
            continue
        side = np.cross(way, np.gradient(way, axis=0))
        # A degenerate arc has no side direction: avoid 0 / 0.
        side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
        corners += [lift * way + width / 2 * side, lift * way - width / 2 * side]
        near = count + np.arange(len(way) - 1)
        far = near + len(way)
        triangles.append(np.stack([near, near + 1, far], -1))
        triangles.append(np.stack([near + 1, far + 1, far], -1))
        owners.append(np.full(2 * len(way), mine))
        count += 2 * len(way)
    if not corners:
        none = np.zeros((0, 3))
        return Mesh(none, none.astype(np.int64), np.zeros(0, np.int64))
    return Mesh(*(np.concatenate(each) for each in (corners, triangles, owners)))


def arc(start: Floats, end: Floats) -> Floats:
    """Return the great-circle arc between two points of the unit sphere.

    Args:
        start: Unit vector, shape (3,).
        end: Unit vector, shape (3,).

    Returns:
        Points along the arc, both ends included, shape (point, 3).

    >>> way = arc(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    >>> len(way), bool(np.allclose(np.linalg.norm(way, axis=1), 1))
    (11, True)
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    # Rounding can push the product beyond ±1, where arccos is NaN.
    angle = float(np.arccos((start @ end).clip(-1.0, 1.0)))
    if angle < 1e-4:
        return start[None]
    # Antipodes have no unique arc: any will do.
    if angle > np.pi - 1e-4:
        aside = tangents(start[None])[0][0]
        middle = arc(start, aside)
        return np.concatenate([middle, arc(aside, end)[1:]])
    share = np.linspace(0.0, 1.0, int(np.ceil(angle / STEP)) + 1)[:, None]
    way = np.sin((1 - share) * angle) * start + np.sin(share * angle) * end
    return np.asarray(way / np.sin(angle), np.float64)
