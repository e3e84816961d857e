"""What does a learner see? An episode's features in the plane, as training goes on."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import Shot, controls, same_scale, titles
from app.figures.canvas import dress
from app.figures.figure_types import Film, Floats, Places, Roles
from app.figures.projection import (
    Plane,
    class_colors,
    class_symbols,
    fitted,
    trustworthiness,
)
from app.figures.theme import number, styles

HEAD, WIDE, SLIM = 46, 280, 170  # pixels over a panel; of one on a desk, on a phone
EACH = 3  # traces of a panel: trails, examples, prototypes
FAR = 4.0  # times the last map's reach that earlier ones may take


class Chart(NamedTuple):
    """One learner's examples and prototypes in the plane, snapshot by snapshot.

    `at` holds the meta-steps; `points` (snapshot, example, 2), the support first;
    `centers` (snapshot, class, 2). `share` is the part of the variance that the
    plane holds, and `trust` its trustworthiness, both at the last snapshot.
    """

    at: Places
    points: Floats
    centers: Floats
    classes: Places
    names: Places
    support: int
    share: float
    trust: float


def embedding_figure(
    snapshots: Mapping[str, Sequence[Film]], roles: Roles, shot: Shot | None = None
) -> go.Figure:
    """Draw each learner's map of one validation episode, moving along its training.

    Args:
        snapshots: Artefacts of kind "snapshot" by label, in any order.
        roles: Role by label, in the spec's order, which the panels keep.
        shot: How many panels stand in a row.

    Returns:
        A figure with frames, one for each meta-step that was kept, paused at the last.
    """
    shot = shot or Shot()
    drawn = {a: _chart(snapshots[a]) for a in roles if snapshots.get(a)}
    charts = {label: made for label, made in drawn.items() if made is not None}
    labels = list(charts)
    columns = min(shot.columns, max(len(labels), 1))
    rows = max(math.ceil(len(labels) / columns), 1)
    tall = WIDE if shot.columns > 2 else SLIM
    height = (tall + HEAD) * rows + 76
    made = make_subplots(
        *(rows, columns),
        horizontal_spacing=0.06 / columns,
        vertical_spacing=HEAD / height if rows > 1 else 0,
    )
    dress(
        made,
        title="The embedding, as training goes on",
        read="One validation episode in the plane of most variance at the end. Large: "
        "each class's mean, with its way here; hollow: support; small: queries. Trust: "
        "how far neighbors in the plane are true ones, 1 at best.",
        alt=_alt(charts),
        height=height,
    )
    steps = sorted({int(s) for chart in charts.values() for s in chart.at}) or [0]
    for place, chart in enumerate(charts.values()):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        for trace in _panel(chart, labels[place]):
            made.add_trace(trace, **at)
        reach = _reach(chart)
        made.update_xaxes(range=reach[0], **at)
        made.update_yaxes(range=reach[1], **at)
    told = {label: _said(chart) for label, chart in charts.items()}
    made.layout.annotations = titles(labels, styles(roles), told)
    made.frames = [_frame(list(charts.values()), step) for step in steps]
    bare = {"showticklabels": False, "ticks": "", "showgrid": False}
    square = {"fixedrange": True, "constrain": "domain"}
    made.update_xaxes(**bare, **square, constraintoward="left")
    made.update_yaxes(**bare, **square, constraintoward="top")
    same_scale(made)
    controls(made, steps, word="meta-step")
    made.update_layout(
        **{"hovermode": False, "showlegend": False},
        margin={"l": 4, "r": 4, "t": HEAD},
    )
    return made


def _chart(snapshots: Sequence[Film]) -> Chart | None:
    """Fit the plane to the last snapshot that is all numbers; show all such in it."""
    held = sorted(snapshots, key=lambda shot: int(shot.info["meta_step"]))
    sound = [shot for shot in held if np.isfinite(_features(shot)).all()]
    if not sound:
        return None
    last = sound[-1]
    plane = fitted(_features(last))
    support_y = np.asarray(last.arrays["support_y"])
    classes = np.concatenate([support_y, np.asarray(last.arrays["query_y"])])
    names = np.unique(support_y)
    points = np.stack([plane.of(_features(shot)) for shot in sound])
    return Chart(
        at=np.array([int(shot.info["meta_step"]) for shot in sound]),
        points=points,
        centers=np.stack([_centers(shot, plane, names) for shot in sound]),
        classes=classes,
        names=names,
        support=len(support_y),
        share=plane.share,
        trust=trustworthiness(_features(last), points[-1]),
    )


def _features(shot: Film) -> Floats:
    both = [np.asarray(shot.arrays[name]) for name in ("support", "query")]
    return np.concatenate(both).astype(np.float64)


def _centers(shot: Film, plane: Plane, names: Places) -> Floats:
    """Return each class's prototype: the mean of its support, in the plane."""
    support, y = (np.asarray(shot.arrays[n]) for n in ("support", "support_y"))
    return plane.of(np.stack([support[y == k].mean(axis=0) for k in names]))


def _reach(chart: Chart) -> list[list[float]]:
    """Return what is looked at: all snapshots, unless early ones lie far off."""
    last = chart.points[-1]
    middle = (last.max(axis=0) + last.min(axis=0)) / 2
    half = np.maximum(np.ptp(last, axis=0) / 2, 1e-9)
    far = np.abs(chart.points - middle).max(axis=(0, 1))
    half = np.clip(far, half, FAR * half) * 1.12
    return [[float(m - h), float(m + h)] for m, h in zip(middle, half, strict=True)]


def _panel(chart: Chart, label: str) -> list[go.Scatter]:
    end = len(chart.at) - 1
    support = chart.classes[: chart.support]
    queries = chart.classes[chart.support :]
    ring = {"color": "#ffffff", "width": 1.5}
    return [
        go.Scatter(
            **{**_trails(chart, end), "mode": "lines", "hoverinfo": "skip"},
            line={"color": "rgba(128,137,149,0.7)", "width": 1.5},
            **{"name": "the prototypes' way", "uid": f"{label}:trails"},
        ),
        go.Scatter(
            **{**_spots(chart, end), "mode": "markers", "hoverinfo": "skip"},
            marker={
                "color": class_colors(chart.classes),
                "symbol": [
                    *class_symbols(support, hollow=True),
                    *class_symbols(queries),
                ],
                "size": [9] * len(support) + [7] * len(queries),
                "opacity": 0.75,
                "line": {"width": 0},
            },
            **{"name": "examples", "uid": f"{label}:examples"},
        ),
        go.Scatter(
            **{**_prototypes(chart, end), "mode": "markers+text"},
            text=[str(int(k) + 1) for k in chart.names],
            marker={
                **{"color": class_colors(chart.names), "size": 19, "line": ring},
                "symbol": class_symbols(chart.names),
            },
            textfont={"color": "#ffffff", "size": 11},
            **{"hoverinfo": "skip", "name": "prototypes", "uid": f"{label}:centers"},
        ),
    ]


def _frame(charts: Sequence[Chart], step: int) -> go.Frame:
    data: list[dict[str, Any]] = []
    for chart in charts:
        last = max(0, int(np.searchsorted(chart.at, step, side="right")) - 1)
        data += [_trails(chart, last), _spots(chart, last), _prototypes(chart, last)]
    traces = list(range(EACH * len(charts)))
    return go.Frame(name=str(step), data=[go.Scatter(d) for d in data], traces=traces)


def _spots(chart: Chart, last: int) -> dict[str, Any]:
    return {"x": chart.points[last, :, 0], "y": chart.points[last, :, 1]}


def _prototypes(chart: Chart, last: int) -> dict[str, Any]:
    return {"x": chart.centers[last, :, 0], "y": chart.centers[last, :, 1]}


def _trails(chart: Chart, last: int) -> dict[str, Any]:
    """Return the ways that the prototypes came, a gap between two of them."""
    ways = np.swapaxes(chart.centers[: last + 1], 0, 1)
    gaps = np.full((len(ways), 1, 2), np.nan, dtype=np.float32)
    line = np.concatenate([ways, gaps], axis=1).reshape(-1, 2)
    return {"x": line[:, 0], "y": line[:, 1]}


def _said(chart: Chart) -> str:
    shares = f"{chart.share:.0%} of variance · trust {number(chart.trust)}"
    return f"<br><span style='font-size:11px'>{shares}</span>"


def _alt(charts: Mapping[str, Chart]) -> str:
    said = [
        f"{label}, whose plane holds {chart.share:.0%} of the variance with "
        f"trustworthiness {number(chart.trust)}"
        for label, chart in charts.items()
    ]
    return "Maps of one episode's features: " + ("; ".join(said) or "of nobody")
