"""Ruggedness of a space: its map, local optima, and correlation with distance."""

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import add_footnote, add_y_caption, make_figure
from app.figures.figure_types import Floats
from app.figures.space_film_reader import SpaceFilm
from app.figures.sphere import accuracy_colors
from app.figures.sphere_shapes import GROUND
from app.figures.theme import PALETTE, format_number
from engine.stats.search.fitness_landscape import FitnessDistance

HEIGHT, SMALL = 520, 300
CLUSTERS = 8


def map_figure(
    space_film: SpaceFilm, *, by_basin: bool = False, opened: int | None = None
) -> go.Figure:
    """Draw the flat map of a listed space, by accuracy or by basin.

    Args:
        space_film: The space; it must have the map "map/xy".
        by_basin: Color by the local optimum that steepest ascent ends at.
        opened: An architecture to mark.
    """
    points = _turn_wide(space_film.coordinates("map/xy"))
    optima = space_film.optima()
    made = make_figure(
        title="The map by basin" if by_basin else "The map by accuracy",
        how_to_read="Nested: the decision that matters most sets the large groups, the "
        "next one the groups in them. Stars: local optima, which no single change "
        "improves; the larger, the more architectures climb there. "
        f"{space_film.describe_trust('map')}",
        alt=f"Map of {space_film.size:,} architectures of {space_film.name} with "
        f"{len(optima)} local optima",
        height=HEIGHT,
    )
    held = _basin_colors(space_film) if by_basin else accuracy_colors(space_film)
    there = np.arange(space_film.size)
    if space_film.scores is not None:
        there = np.flatnonzero(np.isfinite(space_film.scores))
        held["color"] = np.asarray(held["color"])[there]
    made.add_trace(_dot_trace(points[there], there, held))
    if len(optima):
        made.add_trace(_optimum_trace(space_film, points))
    if opened is not None:
        made.add_trace(_opened_trace(points[opened], opened))
    bare = {"visible": False, "showgrid": False}
    made.update_xaxes(**bare)
    made.update_yaxes(**bare, scaleanchor="x")
    made.update_layout(
        hovermode="closest",
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 4, "b": 8 if by_basin else 46},
    )
    return made


def _turn_wide(points: Floats | None) -> Floats:
    """Return positions rotated so that the longer extent is horizontal."""
    assert points is not None
    wide, high = np.ptp(points, axis=0)
    return points if wide >= high else points[:, ::-1]


def _dot_trace(points: Floats, indices: np.ndarray, held: dict) -> go.Scattergl:  # type: ignore[type-arg]
    size = 3 if len(indices) > 6_000 else 5 if len(indices) > 1_000 else 8
    hover = "accuracy %{marker.color:.2f} %<br>" if "cmin" in held else ""
    return go.Scattergl(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        marker={**held, "size": size, "line": {"width": 0}},
        customdata=indices.astype(np.int32),
        hovertemplate=hover + "no. %{customdata}; click to open<extra></extra>",
        uid="all",
    )


def _basin_colors(space_film: SpaceFilm) -> dict[str, object]:
    """Return a color for each of the largest basins, and a common one for the rest."""
    basin = space_film.basins()
    sizes = np.bincount(basin[basin >= 0], minlength=1)
    largest = np.argsort(-sizes, kind="stable")[:CLUSTERS]
    named = {int(b): PALETTE[i] for i, b in enumerate(largest)}
    return {"color": [named.get(int(b), GROUND) for b in basin]}


def _optimum_trace(space_film: SpaceFilm, points: Floats) -> go.Scattergl:
    optima, basin = space_film.optima(), space_film.basins()
    sizes = np.bincount(basin[basin >= 0], minlength=len(optima))
    share = sizes / max(sizes.sum(), 1)
    scores = (
        space_film.scores
        if space_film.scores is not None
        else np.full(space_film.size, np.nan)
    )
    texts = [
        f"local optimum {i + 1} of {len(optima)}: {100 * scores[o]:.2f} %, "
        f"basin {share[i]:.1%} of the space"
        for i, o in enumerate(optima)
    ]
    return go.Scattergl(
        x=points[optima, 0],
        y=points[optima, 1],
        mode="markers",
        marker={
            **{"symbol": "star", "color": "#ff8a3d"},
            "size": (7 + 16 * np.sqrt(share)).astype(np.float32),
            "line": {"color": "#3b1500", "width": 1},
        },
        text=texts,
        customdata=optima.astype(np.int32),
        hovertemplate="%{text}<extra></extra>",
        uid="optima",
    )


def _opened_trace(point: Floats, index: int) -> go.Scattergl:
    return go.Scattergl(
        x=[float(point[0])],
        y=[float(point[1])],
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": 18,
            "color": "#ff3b7f",
            "line": {"width": 3},
        },
        customdata=[index],
        hoverinfo="skip",
        uid="opened",
    )


def distance_figure(correlation: FitnessDistance) -> go.Figure:
    """Draw accuracy against the number of changes from the best architecture."""
    made = make_figure(
        title="Accuracy by distance from the best",
        how_to_read="Line: mean; band: the middle 80 % of architectures. If it falls, "
        "improving steps lead to the best; if it is flat, they do not.",
        alt="Mean accuracy at each distance from the best architecture; correlation "
        f"{format_number(correlation.correlation)}",
        height=SMALL,
    )
    x = np.asarray(correlation.distance, float)
    made.add_trace(
        go.Scatter(
            # Forth along the upper ends and back along the lower.
            x=np.concatenate([x, x[::-1]]),
            y=100 * np.concatenate([correlation.high, correlation.low[::-1]]),
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor="rgba(47,124,246,0.16)",
            hoverinfo="skip",
            showlegend=False,
            uid="band",
        )
    )
    counts = [f"{n:,} architectures" for n in correlation.members]
    made.add_trace(
        go.Scatter(
            x=x,
            y=100 * correlation.mean,
            mode="lines+markers",
            line={"color": PALETTE[0], "width": 2.8},
            text=counts,
            hovertemplate="%{y:.2f} %, %{text}<extra></extra>",
            showlegend=False,
            uid="mean",
        )
    )
    made.update_xaxes(title_text="Decisions that differ from the best", dtick=1)
    add_y_caption(made, "Accuracy (%)")
    add_footnote(
        made, f"fitness–distance correlation {format_number(correlation.correlation)}"
    )
    return made


def walk_figure(walk: list[float | None]) -> go.Figure:
    """Draw the autocorrelation of accuracy along random walks."""
    values = [np.nan if v is None else v for v in walk]
    made = make_figure(
        title="Along a random walk",
        how_to_read="Correlation of accuracies at so many single changes apart. The "
        "sooner it falls, the more rugged the landscape.",
        alt="Autocorrelation by step: " + ", ".join(format_number(v) for v in values),
        height=SMALL,
    )
    made.add_trace(
        go.Scatter(
            x=list(range(len(values))),
            y=values,
            mode="lines+markers",
            line={"color": PALETTE[0], "width": 2.8},
            hovertemplate="%{y:.3f}<extra></extra>",
            showlegend=False,
            uid="walk",
        )
    )
    made.update_xaxes(title_text="Changes apart", dtick=1)
    made.update_yaxes(range=[min(0.0, float(np.nanmin([*values, 0.0]))), 1.05])
    add_y_caption(made, "Autocorrelation")
    return made
