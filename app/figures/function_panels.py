"""Panels of films on tasks with a known function, one for each learner."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, add_controls
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Floats
from app.figures.theme import GREY

HEIGHT = 200  # pixels of a panel and its title
AIR = 0.3  # share of the true curve's height that is kept free above and below
Titles = list[dict[str, Any]]


def panels_figure(
    panels: Sequence[Sequence[go.Scatter]], columns: int, words: Mapping[str, str]
) -> go.Figure:
    """Return the panels side by side, all on the same axes.

    Args:
        panels: Traces of each panel.
        columns: Most panels in a row.
        words: `title`, `how_to_read` and `alt` of the figure.
    """
    columns = min(columns, max(len(panels), 1))
    rows = max(math.ceil(len(panels) / columns), 1)
    height = 126 + HEIGHT * rows
    made = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.09 / columns,
        vertical_spacing=52 / (height - 126) if rows > 1 else 0,
    )
    style_figure(made, **words, height=height)
    for place, traces in enumerate(panels):
        for trace in traces:
            made.add_trace(trace, row=place // columns + 1, col=place % columns + 1)
    made.update_xaxes(title_text="Input x", title_standoff=2, row=rows)
    made.update_layout(hovermode=False, showlegend=False, margin={"t": 42, "r": 8})
    return made


def animate(
    figure: go.Figure,
    frames: Mapping[int, list[go.Scatter]],
    changing: Sequence[int],
    titles: Mapping[int, Titles],
    word: str,
) -> None:
    """Give a figure its frames and the slider, paused at the last.

    Args:
        figure: The figure, as it is in the last frame.
        frames: What changes in the traces, by frame.
        changing: Positions of these traces.
        titles: The panels' titles, by frame.
        word: What the slider counts.
    """
    steps = list(frames)
    figure.layout.annotations = titles[steps[-1]]
    figure.frames = [
        go.Frame(
            name=str(step),
            data=frames[step],
            traces=list(changing),
            layout={"annotations": titles[step]},
        )
        for step in steps
    ]
    margin = figure.layout.margin.to_plotly_json()
    add_controls(figure, steps, below=34, word=word)
    figure.update_layout(margin={**margin, "b": figure.layout.margin.b})


def film_array(film: Film, name: str) -> Floats:
    """Return an array of a film as float32, which is enough for a picture."""
    return np.asarray(film.arrays[name], dtype=np.float32)


def truth_trace(film: Film, label: str, task: int) -> go.Scatter:
    """Return the true function, as a broad gray line."""
    return go.Scatter(
        x=film_array(film, "x"),
        y=film_array(film, "truth")[task],
        mode="lines",
        hoverinfo="skip",
        line={"color": "rgba(128,137,149,0.55)", "width": 5},
        name="true function",
        uid=f"{label}:truth",
    )


def support_trace(film: Film, label: str, task: int) -> go.Scatter:
    """Return the support's examples, as dots."""
    return go.Scatter(
        x=film_array(film, "support_x")[task],
        y=film_array(film, "support_y")[task],
        mode="markers",
        marker={"color": GREY, "size": 7, "line": {"color": "#ffffff", "width": 1}},
        name="support",
        hoverinfo="skip",
        uid=f"{label}:support",
    )


def fit_axes(figure: go.Figure, film: Film, options: FilmOptions) -> None:
    """Fit the y range to the true curve and the support, cutting divergent curves."""
    task = options.task
    x, truth = film_array(film, "x"), film_array(film, "truth")[task]
    low, high = _ends([truth, film_array(film, "support_y")[task]])
    left, right = _ends([x, film_array(film, "support_x")[task]])
    air = AIR * max(high - low, 1e-6)
    still = {"fixedrange": True, "tickformat": "~g", "nticks": 5}
    figure.update_xaxes(range=[left, right], **still)
    figure.update_yaxes(range=[low - air, high + air], **still)


def _ends(values: Iterable[Floats]) -> tuple[float, float]:
    every = np.concatenate(list(values))
    every = every[np.isfinite(every)]
    return (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
