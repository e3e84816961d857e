"""Parallel coordinates: every trained architecture as one line of choices."""

import html

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import make_figure, names_axis
from app.figures.figure_types import Floats, Indices
from app.figures.point_limit import MAX_POINTS
from app.figures.space_data import Space, shorten, wrap_name
from app.figures.theme import GREY, format_number, learner_name, with_alpha

SHADES = 5
ROW = 52  # pixels of a decision
FONT = {"size": 11, "shadow": "auto"}
_GOLDEN = 0.6180339887498949
# By fifths of accuracy, worst to best: from faint gray to strong blue.
_COLORS = (
    with_alpha(GREY, 0.28),
    with_alpha(GREY, 0.45),
    *(with_alpha("#2f7cf6", alpha) for alpha in (0.35, 0.6, 0.95)),
)


def parallel_figure(
    space: Space, index: Indices, accuracy: Floats, label: str
) -> go.Figure:
    """Draw trained architectures as lines from decision to decision.

    Args:
        space: The searched space.
        index: Numbers of the architectures, in the order of their training.
        accuracy: Accuracy of each, share; NaN where its training failed.
        label: The strategy that trained them.
    """
    sound = np.isfinite(accuracy)
    index, accuracy = index[sound], accuracy[sound]
    index, first = np.unique(index, return_index=True)
    accuracy = accuracy[first]
    order = np.argsort(accuracy, kind="stable")
    codes, accuracy = space.to_codes(index[order]), accuracy[order]
    made = make_figure(
        title=f"Choices of the architectures that {learner_name(label)} trained",
        how_to_read="One line per architecture, from its first decision down to its "
        "accuracy. Blue: the best two fifths; where blue lines meet, a choice is good. "
        f"{len(codes)} different architectures.",
        alt=_alt_text(space, codes, accuracy, label),
        height=60 + ROW * (len(space.positions) + 1),
    )
    if len(codes):
        for shade in range(SHADES):
            part = np.array_split(np.arange(len(codes)), SHADES)[shade]
            if len(part):
                made.add_trace(_line_trace(space, codes, accuracy, part, shade))
    if not space.has_same_options:
        made.add_trace(_option_names_trace(space))
    _set_axes(made, space, accuracy)
    return made


def _line_trace(
    space: Space, codes: Indices, accuracy: Floats, part: Indices, shade: int
) -> go.Scatter:
    """Return some lines as one trace, slightly offset so that none hides another."""
    rows = len(space.positions) + 1
    part = part[-(MAX_POINTS // (rows + 1)) :]
    drift = ((part * _GOLDEN) % 1.0 - 0.5) * 0.4
    at = np.full((len(part), rows + 1), np.nan)
    counts = np.array([len(names) for names in space.options])
    at[:, : rows - 1] = (codes[part] + 0.5 + drift[:, None]) / counts
    at[:, rows - 1] = _scale_to_unit(accuracy)[part]
    y = np.broadcast_to(np.arange(rows + 1.0), at.shape)
    return go.Scatter(
        x=at.ravel().astype(np.float32),
        y=y.ravel().astype(np.float32),
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        line={"color": _COLORS[shade], "width": 1.3},
        uid=f"fifth:{shade}",
    )


def _scale_to_unit(accuracy: Floats) -> Floats:
    low, high = accuracy.min(), accuracy.max()
    return (
        (accuracy - low) / (high - low) if high > low else np.full_like(accuracy, 0.5)
    )


def _option_names_trace(space: Space) -> go.Scatter:
    triples = [
        ((at + 0.5) / len(names), place - 0.02, html.escape(shorten(name, 11)))
        for place, names in enumerate(space.options)
        for at, name in enumerate(names)
    ]
    x, y, text = zip(*triples, strict=True)
    return go.Scatter(
        x=x,
        y=y,
        text=text,
        mode="text",
        hoverinfo="skip",
        textposition="top center",
        textfont=FONT,
        showlegend=False,
        uid="names",
    )


def _set_axes(figure: go.Figure, space: Space, accuracy: Floats) -> None:
    rows = len(space.positions) + 1
    names = [*(html.escape(shorten(p, 18)) for p in space.positions), "<b>accuracy</b>"]
    figure.update_yaxes(names_axis() | {"fixedrange": True, "showgrid": True})
    figure.update_yaxes(tickvals=list(range(rows)), ticktext=names)
    figure.update_yaxes(range=[rows - 0.8, -0.5])
    figure.update_xaxes(visible=False, fixedrange=True, range=[-0.02, 1.02])
    if space.has_same_options:
        count = len(space.options[0])
        words = [wrap_name(name) for name in space.options[0]]
        figure.update_xaxes(names_axis() | {"visible": True, "side": "top"})
        at = [(i + 0.5) / count for i in range(count)]
        figure.update_xaxes(tickvals=at, ticktext=words, tickangle=0)
    for end, pick in ((0.0, np.min), (1.0, np.max)):
        if len(accuracy):
            figure.add_annotation(
                x=end,
                y=rows - 1,
                text=f"{format_number(100 * pick(accuracy))} %",
                yanchor="top",
                xanchor="left" if end == 0 else "right",
                showarrow=False,
                font={"size": 10},
            )
    figure.update_layout(hovermode="closest", margin={"t": 34, "b": 18})


def _alt_text(space: Space, codes: Indices, accuracy: Floats, label: str) -> str:
    if not len(codes):
        return f"No architecture of {label} was trained"
    words = ", ".join(space.option_names(codes[-1]))
    return (
        f"{len(codes)} architectures of {label}, accuracy {accuracy[0]:.1%} to "
        f"{accuracy[-1]:.1%}; the best is {words}"
    )
