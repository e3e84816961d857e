"""An episode's embedding in the plane, animated along meta-training."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, add_controls, lock_aspect, panel_titles
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Floats, Indices, Roles
from app.figures.projection import (
    Plane,
    class_colors,
    class_symbols,
    fit_plane,
    trustworthiness,
)
from app.figures.theme import assign_styles, format_number

HEAD, WIDE, SLIM = (
    46,
    280,
    170,
)  # pixels above a panel; of a panel on wide and on narrow screens
EACH = 3  # traces of a panel: trails, examples, prototypes
FAR = 4.0  # how far earlier maps may reach, in extents of the last one


class EmbeddingMap(NamedTuple):
    """One learner's examples and prototypes in the plane, snapshot by snapshot.

    `at` holds the meta-steps; `points` (snapshot, example, 2), the support first;
    `centers` (snapshot, class, 2). `share` is the part of the variance that the
    plane holds, and `trust` its trustworthiness, both at the last snapshot.
    """

    meta_steps: Indices
    points: Floats
    centers: Floats
    classes: Indices
    class_ids: Indices
    support: int
    variance_share: float
    trust: float


def embedding_figure(
    snapshots: Mapping[str, Sequence[Film]],
    roles: Roles,
    options: FilmOptions | None = None,
) -> go.Figure:
    """Draw each learner's map of one validation episode, moving along its training.

    Args:
        snapshots: Artefacts of kind "snapshot" by label, in any order.
        roles: Role by label, in the spec's order, which the panels keep.
        options: How many panels stand in a row.

    Returns:
        A figure with a frame per recorded meta-step, paused at the last.
    """
    options = options or FilmOptions()
    drawn = {a: _make_map(snapshots[a]) for a in roles if snapshots.get(a)}
    charts = {label: made for label, made in drawn.items() if made is not None}
    labels = list(charts)
    columns = min(options.columns, max(len(labels), 1))
    rows = max(math.ceil(len(labels) / columns), 1)
    tall = WIDE if options.columns > 2 else SLIM
    height = (tall + HEAD) * rows + 76
    made = make_subplots(
        rows,
        columns,
        horizontal_spacing=0.06 / columns,
        vertical_spacing=HEAD / height if rows > 1 else 0,
    )
    style_figure(
        made,
        title="The embedding along meta-training",
        how_to_read="One validation episode, projected on the first two principal "
        "components of the last map. Large: class means with their trails; hollow: "
        "support; small: queries. Trust: whether neighbors in the plane are true ones, "
        "at best 1.",
        alt=_alt_text(charts),
        height=height,
    )
    steps = sorted({int(s) for chart in charts.values() for s in chart.meta_steps}) or [
        0
    ]
    for place, chart in enumerate(charts.values()):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        for trace in _panel_traces(chart, labels[place]):
            made.add_trace(trace, **at)
        reach = _axis_ranges(chart)
        made.update_xaxes(range=reach[0], **at)
        made.update_yaxes(range=reach[1], **at)
    notes = {label: _map_note(chart) for label, chart in charts.items()}
    made.layout.annotations = panel_titles(labels, assign_styles(roles), notes)
    if not options.only_layout:
        made.frames = [_make_frame(list(charts.values()), step) for step in steps]
    bare = {"showticklabels": False, "ticks": "", "showgrid": False}
    square = {"fixedrange": True, "constrain": "domain"}
    made.update_xaxes(**bare, **square, constraintoward="left")
    made.update_yaxes(**bare, **square, constraintoward="top")
    lock_aspect(made)
    add_controls(made, steps, word="meta-step")
    made.update_layout(
        hovermode=False, showlegend=False, margin={"l": 4, "r": 4, "t": HEAD}
    )
    return made


def _make_map(snapshots: Sequence[Film]) -> EmbeddingMap | None:
    """Fit the plane to the last finite snapshot; project all finite ones on it."""
    held = sorted(snapshots, key=lambda shot: int(shot.info["meta_step"]))
    sound = [shot for shot in held if np.isfinite(_features(shot)).all()]
    if not sound:
        return None
    last = sound[-1]
    plane = fit_plane(_features(last))
    support_y = np.asarray(last.arrays["support_y"])
    classes = np.concatenate([support_y, np.asarray(last.arrays["query_y"])])
    names = np.unique(support_y)
    points = np.stack([plane.project(_features(shot)) for shot in sound])
    return EmbeddingMap(
        meta_steps=np.array([int(shot.info["meta_step"]) for shot in sound]),
        points=points,
        centers=np.stack([_class_centers(shot, plane, names) for shot in sound]),
        classes=classes,
        class_ids=names,
        support=len(support_y),
        variance_share=plane.share,
        trust=trustworthiness(_features(last), points[-1]),
    )


def _features(snapshot: Film) -> Floats:
    both = [np.asarray(snapshot.arrays[name]) for name in ("support", "query")]
    return np.concatenate(both).astype(np.float64)


def _class_centers(snapshot: Film, plane: Plane, names: Indices) -> Floats:
    """Return each class's prototype: the mean of its support, in the plane."""
    support, y = (np.asarray(snapshot.arrays[n]) for n in ("support", "support_y"))
    return plane.project(np.stack([support[y == k].mean(axis=0) for k in names]))


def _axis_ranges(embedding: EmbeddingMap) -> list[list[float]]:
    """Return the axis ranges: all snapshots, unless early ones lie far away."""
    last = embedding.points[-1]
    middle = (last.max(axis=0) + last.min(axis=0)) / 2
    # All points may coincide, and an axis needs a positive range.
    half = np.maximum(np.ptp(last, axis=0) / 2, 1e-9)
    far = np.abs(embedding.points - middle).max(axis=(0, 1))
    # Early maps may lie far off; they are cut, or the last would be a dot.
    half = np.clip(far, half, FAR * half) * 1.12
    return [[float(m - h), float(m + h)] for m, h in zip(middle, half, strict=True)]


def _panel_traces(embedding: EmbeddingMap, label: str) -> list[go.Scatter]:
    end = len(embedding.meta_steps) - 1
    support = embedding.classes[: embedding.support]
    queries = embedding.classes[embedding.support :]
    ring = {"color": "#ffffff", "width": 1.5}
    return [
        go.Scatter(
            **{
                **_prototype_trails(embedding, end),
                "mode": "lines",
                "hoverinfo": "skip",
            },
            line={"color": "rgba(128,137,149,0.7)", "width": 1.5},
            name="prototype trails",
            uid=f"{label}:trails",
        ),
        go.Scatter(
            **{
                **_example_points(embedding, end),
                "mode": "markers",
                "hoverinfo": "skip",
            },
            marker={
                "color": class_colors(embedding.classes),
                "symbol": [
                    *class_symbols(support, hollow=True),
                    *class_symbols(queries),
                ],
                "size": [9] * len(support) + [7] * len(queries),
                "opacity": 0.75,
                "line": {"width": 0},
            },
            name="examples",
            uid=f"{label}:examples",
        ),
        go.Scatter(
            **{**_prototype_points(embedding, end), "mode": "markers+text"},
            text=[str(int(k) + 1) for k in embedding.class_ids],
            marker={
                **{
                    "color": class_colors(embedding.class_ids),
                    "size": 19,
                    "line": ring,
                },
                "symbol": class_symbols(embedding.class_ids),
            },
            textfont={"color": "#ffffff", "size": 11},
            hoverinfo="skip",
            name="prototypes",
            uid=f"{label}:centers",
        ),
    ]


def _make_frame(charts: Sequence[EmbeddingMap], step: int) -> go.Frame:
    data: list[dict[str, Any]] = []
    for chart in charts:
        last = max(0, int(np.searchsorted(chart.meta_steps, step, side="right")) - 1)
        data += [
            _prototype_trails(chart, last),
            _example_points(chart, last),
            _prototype_points(chart, last),
        ]
    traces = list(range(EACH * len(charts)))
    return go.Frame(name=str(step), data=[go.Scatter(d) for d in data], traces=traces)


def _example_points(embedding: EmbeddingMap, last: int) -> dict[str, Any]:
    return {"x": embedding.points[last, :, 0], "y": embedding.points[last, :, 1]}


def _prototype_points(embedding: EmbeddingMap, last: int) -> dict[str, Any]:
    return {"x": embedding.centers[last, :, 0], "y": embedding.centers[last, :, 1]}


def _prototype_trails(embedding: EmbeddingMap, last: int) -> dict[str, Any]:
    """Return the prototypes' trails, with gaps between them."""
    ways = np.swapaxes(embedding.centers[: last + 1], 0, 1)
    gaps = np.full((len(ways), 1, 2), np.nan, dtype=np.float32)
    line = np.concatenate([ways, gaps], axis=1).reshape(-1, 2)
    return {"x": line[:, 0], "y": line[:, 1]}


def _map_note(embedding: EmbeddingMap) -> str:
    shares = (
        f"{embedding.variance_share:.0%} of variance · trust "
        f"{format_number(embedding.trust)}"
    )
    return f"<br><span style='font-size:11px'>{shares}</span>"


def _alt_text(charts: Mapping[str, EmbeddingMap]) -> str:
    said = [
        f"{label}, whose plane holds {chart.variance_share:.0%} of the variance with "
        f"trustworthiness {format_number(chart.trust)}"
        for label, chart in charts.items()
    ]
    return "Maps of one episode's features: " + ("; ".join(said) or "none")
