"""A figure of lines over one axis, as the lessons draw them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import plotly.graph_objects as go

from app.figures.figure_parts import (
    add_legend_below,
    add_y_caption,
    log_axis,
    make_figure,
)
from app.figures.figure_types import Floats
from app.figures.theme import COLORS, GREY

LEARNED = {"color": COLORS["blue"], "width": 2.8}
RIVAL = {"color": COLORS["red"], "width": 2.1, "dash": "7px,3px"}
TRUTH = {"color": GREY, "width": 1.6}


class Line(NamedTuple):
    """One line.

    Args:
        name: In the legend.
        x: Shape (point,).
        y: Shape (point,).
        look: Its style as a Plotly line.
        mode: As Plotly's mode of a trace.
    """

    name: str
    x: Floats
    y: Floats
    look: dict[str, Any]
    mode: str = "lines"


class Words(NamedTuple):
    """What is written at a figure.

    Args:
        title: What it shows.
        how_to_read: One line on how to read it.
        alt: Text alternative.
        x: Title of the x axis.
        y: Caption of the y axis.
    """

    title: str
    how_to_read: str
    alt: str
    x: str
    y: str


def line_figure(lines: Iterable[Line], words: Words, *, log: bool = False) -> go.Figure:
    """Draw lines; on a logarithmic axis if asked for.

    Args:
        lines: In the order of the legend.
        words: What is written at it.
        log: Whether the y axis is logarithmic.
    """
    shown = list(lines)
    made = make_figure(
        [_trace(line) for line in shown],
        title=words.title,
        how_to_read=words.how_to_read,
        alt=words.alt,
        height=300,
    )
    made.update_xaxes(title_text=words.x)
    if log:
        made.update_yaxes(**log_axis(*(line.y for line in shown)))
    add_y_caption(made, words.y)
    add_legend_below(made, [line.name for line in shown])
    return made


def _trace(line: Line) -> go.Scatter:
    return go.Scatter(
        x=line.x,
        y=line.y,
        mode=line.mode,
        line=line.look,
        marker={"size": 6, "color": line.look["color"]},
        name=line.name,
        uid=line.name,
    )
