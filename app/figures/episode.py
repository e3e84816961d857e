"""One few-shot episode: support, queries, and each learner's wrong answers."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, lock_aspect, panel_titles
from app.figures.episode_layout import NAMES, EpisodeGrid, place_examples
from app.figures.episode_marks import (
    WRONG,
    crosses,
    numbered_marks,
    query_marks,
    rings,
)
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Indices, Roles
from app.figures.image_grid import compose_image, png_data_url
from app.figures.projection import fit_plane
from app.figures.theme import assign_styles

HEAD = 46  # pixels over a panel
WIDE, SLIM = 470, 335  # width in pixels of a panel in two columns, and in one


def episode_figure(
    film: Film, roles: Roles, options: FilmOptions | None = None
) -> go.Figure:
    """Draw one episode, a panel a learner, with the wrong answers marked.

    Args:
        film: Artefact of form "episode": of images, or of plain vectors.
        roles: Role by label, in the spec's order, which the panels keep.
        options: Which task, and how many panels stand in a row.
    """
    options = options or FilmOptions()
    labels = [label for label in roles if f"{label}/answer" in film.arrays]
    columns, rows = options.columns, max(math.ceil(len(labels) / options.columns), 1)
    images = "query" in film.arrays
    tall = _panel_height(film, options) if images else (230 if columns > 1 else 250)
    height = (tall + HEAD) * rows + 8
    made = make_subplots(
        rows,
        columns,
        horizontal_spacing=0.06 / columns,
        vertical_spacing=HEAD / height if rows > 1 else 0,
    )
    style_figure(
        made,
        title="One episode and the answers",
        how_to_read=_how_to_read(images, _is_online(film)),
        alt=_alt_text(film, labels, options.task),
        height=height,
    )
    styles = assign_styles(roles)
    for place, label in enumerate(labels):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        draw = _image_traces if images else _point_traces
        for trace in draw(film, label, options.task):
            made.add_trace(trace, **at)
    made.layout.annotations = panel_titles(
        labels, styles, _score_notes(film, labels, options.task)
    )
    _set_axes(made, film, options.task, images)
    made.update_layout(
        hovermode="closest",
        showlegend=False,
        margin={"l": 4, "r": 4, "t": HEAD, "b": 8},
    )
    return made


def wrong_queries(film: Film, label: str, task: int) -> Indices:
    """Return which of the shown queries a learner got wrong."""
    answers = np.asarray(film.arrays[f"{label}/answer"])[task]
    return np.flatnonzero(answers != np.asarray(film.arrays["query_y"])[task])


def _is_online(film: Film) -> bool:
    """Whether each example is asked about before it joins the support."""
    return bool(film.info.get("online", False))


def _how_to_read(images: bool, online: bool) -> str:
    if images and online:
        return (
            "One row per class, in the order in which its examples come; each is asked "
            "about before its label is shown. Red frame: wrong; the number is the "
            "class that was predicted."
        )
    if images:
        return (
            "One row per class: support on the left, queries on the right. Red "
            "frame: wrong; the number is the class that was predicted."
        )
    if online:
        return (
            "Each example has the number of its class, and is asked about before its "
            "label is shown. In a ring: answered wrong. First two principal components."
        )
    return (
        "Large: support, with its class; small: queries, in color and shape of their "
        "true class. Crossed out in a ring: wrong. First two principal components."
    )


def _score_notes(film: Film, labels: Sequence[str], task: int) -> dict[str, str]:
    """Describe how many answers are right, and of all queries if some are hidden."""
    count = np.asarray(film.arrays["query_y"]).shape[1]
    notes = {}
    for label in labels:
        gone = len(wrong_queries(film, label, task))
        share = float(np.asarray(film.arrays[f"{label}/accuracy"])[task])
        exact = abs((count - gone) / count - share) < 1e-6
        more = "" if exact else f" shown, {share:.0%} of all"
        notes[label] = f"<br>{count - gone} of {count} right{more}"
    return notes


def _alt_text(film: Film, labels: Sequence[str], task: int) -> str:
    count = np.asarray(film.arrays["query_y"]).shape[1]
    said = [f"{a} wrong on {len(wrong_queries(film, a, task))}" for a in labels]
    return f"One episode of {count} queries: " + ("; ".join(said) or "no answers")


# images -----------------------------------------------------------------------
def _true_classes(film: Film, task: int) -> tuple[Indices, Indices]:
    support, query = (np.asarray(film.arrays[n]) for n in ("support_y", "query_y"))
    return support[task], query[task]


def _cells(film: Film, task: int) -> EpisodeGrid:
    support, query = _true_classes(film, task)
    # The support of an online episode is among the queries, and is drawn once.
    return place_examples(support[:0] if _is_online(film) else support, query)


def _panel_height(film: Film, options: FilmOptions) -> int:
    cells = _cells(film, options.task)
    room = WIDE if options.columns > 1 else SLIM
    return round(min(36.0, room / cells.width) * cells.height)


def _image_traces(film: Film, label: str, task: int) -> list[go.Image | go.Scatter]:
    cells = _cells(film, task)
    drawn = {"query": cells.query}
    if not _is_online(film):
        drawn["support"] = cells.support
    images = [
        (image, float(left), float(top))
        for name, where in drawn.items()
        for image, (left, top) in zip(
            np.asarray(film.arrays[name])[task], where, strict=True
        )
    ]
    pixels, side = compose_image(images, cells.width, cells.height)
    step = 1.0 / side
    sheet = go.Image(
        source=png_data_url(pixels),
        x0=step / 2,
        y0=step / 2,
        dx=step,
        dy=step,
        hoverinfo="skip",
        uid=f"{label}:sheet",
    )
    return [
        sheet,
        _class_number_trace(cells, label),
        *_wrong_frames(film, label, task, cells),
    ]


def _class_number_trace(cells: EpisodeGrid, label: str) -> go.Scatter:
    return go.Scatter(
        x=cells.names[:, 0] + NAMES / 2,
        y=cells.names[:, 1] + 0.5,
        text=[str(k + 1) for k in range(len(cells.names))],
        mode="text",
        textfont={"size": 11},
        hoverinfo="skip",
        uid=f"{label}:classes",
    )


def _wrong_frames(
    film: Film, label: str, task: int, cells: EpisodeGrid
) -> list[go.Scatter]:
    """Return a red frame around each wrong answer, and a badge with the answer."""
    lost = wrong_queries(film, label, task)
    answers = np.asarray(film.arrays[f"{label}/answer"])[task][lost]
    corners = cells.query[lost]
    around = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0], [np.nan, np.nan]])
    loops = (corners[:, None] + around[None]).reshape(-1, 2)
    said = ["–" if k < 0 else str(int(k) + 1) for k in answers]
    return [
        go.Scatter(
            x=loops[:, 0],
            y=loops[:, 1],
            mode="lines",
            line={"color": WRONG, "width": 2},
            hoverinfo="skip",
            name="wrong",
            uid=f"{label}:frames",
        ),
        go.Scatter(
            x=corners[:, 0] + 0.8,
            y=corners[:, 1] + 0.2,
            mode="markers+text",
            text=said,
            name="wrong",
            marker={"symbol": "square", "size": 11, "color": WRONG},
            textfont={"color": "#ffffff", "size": 9},
            hovertemplate="predicted class %{text}<extra></extra>",
            uid=f"{label}:answers",
        ),
    ]


# vectors ----------------------------------------------------------------------
def _point_traces(film: Film, label: str, task: int) -> list[go.Scatter]:
    support, query = (
        np.asarray(film.arrays[n], np.float64)[task] for n in ("support_x", "query_x")
    )
    plane = fit_plane(np.nan_to_num(np.concatenate([support, query])))
    support_y, query_y = _true_classes(film, task)
    at, asked = plane.project(support), plane.project(query)
    lost = asked[wrong_queries(film, label, task)]
    if _is_online(film):  # the support is among the queries
        return [numbered_marks(asked, query_y, label), rings(lost, label, 25)]
    return [
        query_marks(asked, query_y, label),
        numbered_marks(at, support_y, label),
        rings(lost, label, 14),
        crosses(lost, label),
    ]


def _set_axes(figure: go.Figure, film: Film, task: int, images: bool) -> None:
    bare: dict[str, Any] = {"showticklabels": False, "ticks": "", "fixedrange": True}
    bare |= {"showgrid": False}
    if not images:
        figure.update_xaxes(**bare)
        figure.update_yaxes(**bare)
        return
    cells = place_examples(*_true_classes(film, task))
    bare |= {"constrain": "domain"}
    figure.update_xaxes(range=[-0.1, cells.width + 0.1], constraintoward="left", **bare)
    figure.update_yaxes(range=[cells.height + 0.1, -0.1], constraintoward="top", **bare)
    lock_aspect(figure)
