"""How rugged is the space? Its map, its peaks, and how accuracy falls off."""

import numpy as np
import plotly.graph_objects as go

from app.figures.canvas import figure, footnote, y_caption
from app.figures.figure_types import Floats
from app.figures.space_atlas import Atlas
from app.figures.sphere import colors
from app.figures.sphere_mesh import GROUND
from app.figures.theme import PALETTE, number
from engine.stats.search.landscape import FitnessDistance

HEIGHT, SMALL = 520, 300
CLUSTERS = 8


def map_figure(
    atlas: Atlas, *, by_basin: bool = False, opened: int | None = None
) -> go.Figure:
    """Draw the flat map of a listed space, by accuracy or by basin.

    Args:
        atlas: The space; it must have the map "map/xy".
        by_basin: Color by the local optimum that steepest ascent ends at.
        opened: An architecture to be marked.
    """
    points = _lying(atlas.places("map/xy"))
    optima = atlas.optima()
    made = figure(
        title="The map by basin" if by_basin else "The map by accuracy",
        read="Nested: the decision that matters most sets the large groups, the next "
        "one the groups in them. Stars: local optima, which no single change improves; "
        f"the larger, the more architectures climb there. {atlas.trust('map')}",
        alt=f"Map of {atlas.size:,} architectures of {atlas.name} with "
        f"{len(optima)} local optima",
        height=HEIGHT,
    )
    held = _basins(atlas) if by_basin else colors(atlas)
    there = np.arange(atlas.size)
    if atlas.scores is not None:
        there = np.flatnonzero(np.isfinite(atlas.scores))
        held["color"] = np.asarray(held["color"])[there]
    made.add_trace(_dots(points[there], there, held))
    if len(optima):
        made.add_trace(_stars(atlas, points))
    if opened is not None:
        made.add_trace(_opened(points[opened], opened))
    bare = {"visible": False, "showgrid": False}
    made.update_xaxes(**bare)
    made.update_yaxes(**bare, scaleanchor="x")
    made.update_layout(
        hovermode="closest",
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 4, "b": 8 if by_basin else 46},
    )
    return made


def _lying(points: Floats | None) -> Floats:
    """Return places with their longer side from left to right, as a page has it."""
    assert points is not None
    wide, high = np.ptp(points, axis=0)
    return points if wide >= high else points[:, ::-1]


def _dots(points: Floats, there: np.ndarray, held: dict) -> go.Scattergl:  # type: ignore[type-arg]
    size = 3 if len(there) > 6_000 else 5 if len(there) > 1_000 else 8
    told = "accuracy %{marker.color:.2f} %<br>" if "cmin" in held else ""
    return go.Scattergl(
        **{"x": points[:, 0], "y": points[:, 1], "mode": "markers"},
        marker={**held, "size": size, "line": {"width": 0}},
        customdata=there.astype(np.int32),
        hovertemplate=told + "no. %{customdata}; click to open<extra></extra>",
        uid="all",
    )


def _basins(atlas: Atlas) -> dict[str, object]:
    """Return a color for each of the largest basins, and one for all others."""
    basin = atlas.basin()
    sizes = np.bincount(basin[basin >= 0], minlength=1)
    largest = np.argsort(-sizes, kind="stable")[:CLUSTERS]
    named = {int(b): PALETTE[i] for i, b in enumerate(largest)}
    return {"color": [named.get(int(b), GROUND) for b in basin]}


def _stars(atlas: Atlas, points: Floats) -> go.Scattergl:
    optima, basin = atlas.optima(), atlas.basin()
    sizes = np.bincount(basin[basin >= 0], minlength=len(optima))
    share = sizes / max(sizes.sum(), 1)
    scores = atlas.scores if atlas.scores is not None else np.full(atlas.size, np.nan)
    told = [
        f"local optimum {i + 1} of {len(optima)}: {100 * scores[o]:.2f} %, "
        f"basin {share[i]:.1%} of the space"
        for i, o in enumerate(optima)
    ]
    return go.Scattergl(
        **{"x": points[optima, 0], "y": points[optima, 1], "mode": "markers"},
        marker={
            **{"symbol": "star", "color": "#ff8a3d"},
            "size": (7 + 16 * np.sqrt(share)).astype(np.float32),
            "line": {"color": "#3b1500", "width": 1},
        },
        **{"text": told, "customdata": optima.astype(np.int32)},
        hovertemplate="%{text}<extra></extra>",
        uid="optima",
    )


def _opened(point: Floats, index: int) -> go.Scattergl:
    return go.Scattergl(
        **{"x": [float(point[0])], "y": [float(point[1])], "mode": "markers"},
        marker={"symbol": "circle-open", "size": 18, "color": "#ff3b7f",
                "line": {"width": 3}},
        **{"customdata": [index], "hoverinfo": "skip", "uid": "opened"},
    )  # fmt: skip


def distance_figure(found: FitnessDistance) -> go.Figure:
    """Draw accuracy against the number of changes from the best architecture."""
    made = figure(
        title="Accuracy by distance from the best",
        read="Line: mean; band: the middle 80 % of architectures. If it falls, small "
        "changes that help lead to the best; if it is flat, they do not.",
        alt="Mean accuracy at each distance from the best architecture; correlation "
        f"{number(found.correlation)}",
        height=SMALL,
    )
    x = np.asarray(found.distance, float)
    made.add_trace(
        go.Scatter(
            x=np.concatenate([x, x[::-1]]),
            y=100 * np.concatenate([found.high, found.low[::-1]]),
            **{"mode": "lines", "line": {"width": 0}, "fill": "toself"},
            **{"fillcolor": "rgba(47,124,246,0.16)", "hoverinfo": "skip"},
            **{"showlegend": False, "uid": "band"},
        )
    )
    counts = [f"{n:,} architectures" for n in found.members]
    made.add_trace(
        go.Scatter(
            **{"x": x, "y": 100 * found.mean, "mode": "lines+markers"},
            **{"line": {"color": PALETTE[0], "width": 2.8}, "text": counts},
            hovertemplate="%{y:.2f} %, %{text}<extra></extra>",
            **{"showlegend": False, "uid": "mean"},
        )
    )
    made.update_xaxes(title_text="Decisions that differ from the best", dtick=1)
    y_caption(made, "Accuracy (%)")
    footnote(made, f"fitness–distance correlation {number(found.correlation)}")
    return made


def walk_figure(walk: list[float | None]) -> go.Figure:
    """Draw the autocorrelation of accuracy along random walks."""
    values = [np.nan if v is None else v for v in walk]
    made = figure(
        title="Along a random walk",
        read="Correlation of accuracies so many single changes apart. The sooner it "
        "falls, the more rugged the landscape.",
        alt="Autocorrelation by step: " + ", ".join(number(v) for v in values),
        height=SMALL,
    )
    made.add_trace(
        go.Scatter(
            **{"x": list(range(len(values))), "y": values, "mode": "lines+markers"},
            line={"color": PALETTE[0], "width": 2.8},
            hovertemplate="%{y:.3f}<extra></extra>",
            **{"showlegend": False, "uid": "walk"},
        )
    )
    made.update_xaxes(title_text="Changes apart", dtick=1)
    made.update_yaxes(range=[min(0.0, float(np.nanmin([*values, 0.0]))), 1.05])
    y_caption(made, "Autocorrelation")
    return made
