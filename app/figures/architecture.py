"""Drawings of an architecture: cells as graphs, other spaces as rows of choices."""

import html
from collections.abc import Iterator, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import add_controls, sample_frames
from app.figures.figure_parts import add_footnote, make_figure, names_axis, style_figure
from app.figures.figure_types import Floats, Roles
from app.figures.space_data import SearchTrace, Space, shorten
from app.figures.theme import GREY, Style, assign_styles

BOW = 0.62  # how far an edge that skips a node bends
BENDS, ROOM = 17, 0.35
GAP = "\u00a0" * 5  # keeps an option's name clear of its mark
LINE, LEFT = 34, 0.36  # pixels of a row of choices; of an option, left of its name


def architecture_figure(
    space: Space, search: SearchTrace, label: str, roles: Roles, *, columns: int = 2
) -> go.Figure:
    """Draw the best architecture so far and the one being trained, with a slider.

    Args:
        space: The searched space.
        search: One search.
        label: The strategy's label.
        roles: Role by label, in the spec's order.
        columns: Panels of cells in a row.
    """
    style = assign_styles(roles)[label]
    if space.edges:
        return _cells_figure(space, search, style, columns)
    return _choices_figure(space, search, style)


def cell_figure(space: Space, index: int, style: Style) -> go.Figure:
    """Draw one architecture of a space of cells."""
    words = space.option_names(space.to_codes(index))
    named = zip(space.positions, words, strict=True)
    alt = "Cell: " + ", ".join(f"{edge} {name}" for edge, name in named)
    made = make_figure(
        _graph_traces(space, words, style, 0),
        title="",
        how_to_read="",
        alt=alt,
        height=180,
    )
    nodes = 1 + max(end for _, end in space.edges)
    bow = BOW * max(1, nodes - 2) + ROOM
    made.update_xaxes(visible=False, fixedrange=True, range=[-0.35, nodes - 0.65])
    made.update_yaxes(visible=False, fixedrange=True, range=[-bow, bow])
    return made.update_layout(showlegend=False, hovermode=False, margin={"t": 4})


def _title_and_alt(space: Space, search: SearchTrace, style: Style) -> dict[str, str]:
    names = space.option_names(space.to_codes(search.best[-1]))
    pairs = zip(space.positions, names, strict=True)
    said = ", ".join(f"{position} {name}" for position, name in pairs)
    return {
        "title": f"The best that {style.name} has found, and what it trains now",
        "alt": f"Best architecture of {style.label} after {len(search.best)} "
        f"evaluations: {said}",
    }


def _cells_figure(
    space: Space, search: SearchTrace, style: Style, columns: int
) -> go.Figure:
    rows = 2 // columns
    made = make_subplots(rows, columns, horizontal_spacing=0.04, vertical_spacing=0.12)
    style_figure(
        made,
        **_title_and_alt(space, search, style),
        how_to_read="Circles are nodes, from input to output; each edge is labeled "
        "with its operation.",
        height=40 + 220 * rows,
    )
    shots = sample_frames(len(search.index))
    for trace, panel in _panel_traces(space, search, shots[-1], style):
        at = {"row": panel // columns + 1, "col": panel % columns + 1}
        made.add_trace(trace, **at)
    made.frames = [
        go.Frame(
            name=str(shot + 1),
            data=[t for t, _ in _panel_traces(space, search, shot, style)],
        )
        for shot in shots
    ]
    nodes = 1 + max(end for _, end in space.edges)
    made.update_xaxes(visible=False, fixedrange=True, range=[-0.35, nodes - 0.65])
    bow = BOW * max(1, nodes - 2) + ROOM
    made.update_yaxes(visible=False, fixedrange=True, range=[-bow, bow])
    for panel, name in enumerate(("best so far", "trained now")):
        axis = "" if panel == 0 else "2"
        made.add_annotation(
            text=f"<b>{name}</b>",
            x=0,
            y=1,
            xanchor="left",
            xref=f"x{axis} domain",
            yref=f"y{axis} domain",
            yanchor="bottom",
            showarrow=False,
        )
    made.update_layout(hovermode="closest", showlegend=False, margin={"t": 28})
    add_controls(made, [shot + 1 for shot in shots], word="evaluation")
    return made


def _panel_traces(
    space: Space, search: SearchTrace, evaluation: int, style: Style
) -> Iterator[tuple[go.Scatter, int]]:
    for panel, index in enumerate((search.best[evaluation], search.index[evaluation])):
        words = space.option_names(space.to_codes(index))
        for trace in _graph_traces(space, words, style, panel):
            yield trace, panel


def _graph_traces(
    space: Space, words: Sequence[str], style: Style, panel: int
) -> Iterator[go.Scatter]:
    x, y = list[float](), list[float]()
    middle = []
    for start, end in space.edges:
        bend = _edge_curve(start, end)
        x += [*bend[:, 0], np.nan]
        y += [*bend[:, 1], np.nan]
        middle.append(bend[BENDS // 2])
    still = {"hoverinfo": "skip", "showlegend": False}
    line = {"color": style.color, "width": 1.8}
    yield go.Scatter(x=x, y=y, mode="lines", line=line, uid=f"edges:{panel}", **still)
    at = np.array(middle)
    yield go.Scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="text",
        textposition=["bottom center" if y < 0 else "top center" for y in at[:, 1]],
        text=[html.escape(shorten(w)) for w in words],
        textfont={"size": 10.5},
        **{"uid": f"words:{panel}", **still},
    )
    nodes = 1 + max(end for _, end in space.edges)
    names = ["in", *(str(i) for i in range(1, nodes - 1)), "out"]
    marker = {"size": 24, "color": style.color, "line": {"width": 0}}
    yield go.Scatter(
        x=list(range(nodes)),
        y=[0] * nodes,
        mode="markers+text",
        text=names,
        textfont={"size": 10, "color": "#ffffff"},
        **{"marker": marker, "uid": f"nodes:{panel}", **still},
    )


def _edge_curve(start: int, end: int) -> Floats:
    """Return the line of an edge; one that skips nodes goes round them."""
    t = np.linspace(0, 1, BENDS)
    side = 1 if start % 2 == 0 else -1
    height = side * BOW * (end - start - 1) * 0.9
    return np.stack([start + (end - start) * t, 4 * height * t * (1 - t)], 1)


def _choices_figure(space: Space, search: SearchTrace, style: Style) -> go.Figure:
    made = make_figure(
        **_title_and_alt(space, search, style),
        how_to_read="Each row is a decision. Filled: the option of the best so far; "
        "ring: of the one being trained.",
        height=56 + LINE * len(space.positions),
    )
    made.add_trace(_option_names_trace(space))
    shots = sample_frames(len(search.index))
    for trace in _mark_traces(space, search, shots[-1], style):
        made.add_trace(trace)
    made.frames = [
        go.Frame(
            name=str(shot + 1),
            data=[*_mark_traces(space, search, shot, style)],
            traces=[1, 2],
        )
        for shot in shots
    ]
    most = max(len(names) for names in space.options)
    made.update_xaxes(visible=False, fixedrange=True, range=[-0.55, most - 0.45])
    names = [html.escape(shorten(name, 18)) for name in space.positions]
    made.update_yaxes(names_axis() | {"fixedrange": True, "zeroline": False})
    made.update_yaxes(tickvals=list(range(len(names))), ticktext=names)
    made.update_yaxes(range=[len(names) - 0.5, -0.5])
    made.update_layout(hovermode="closest", showlegend=False, margin={"t": 26})
    add_footnote(made, "● best so far   ◯ trained now")
    add_controls(made, [shot + 1 for shot in shots], word="evaluation")
    return made


def _option_names_trace(space: Space) -> go.Scatter:
    pairs = [
        (at - LEFT, place, GAP + html.escape(shorten(name, 11)))
        for place, names in enumerate(space.options)
        for at, name in enumerate(names)
    ]
    x, y, text = zip(*pairs, strict=True)
    return go.Scatter(
        x=x,
        y=y,
        text=text,
        mode="text",
        hoverinfo="skip",
        textfont={"size": 11},
        textposition="middle right",
        showlegend=False,
        uid="menu",
    )


def _mark_traces(
    space: Space, search: SearchTrace, evaluation: int, style: Style
) -> Iterator[go.Scatter]:
    rows = np.arange(len(space.positions))
    ring = {"symbol": "circle-open", "size": 17, "color": GREY, "line": {"width": 2}}
    for name, index, marker in (
        ("best", search.best[evaluation], {"size": 10, "color": style.color}),
        ("now", search.index[evaluation], ring),
    ):
        yield go.Scatter(
            x=space.to_codes(index) - LEFT,
            y=rows,
            mode="markers",
            marker=marker,
            hoverinfo="skip",
            showlegend=False,
            uid=f"{style.label}:{name}",
        )
