"""Which architecture is it? Cells as graphs, other spaces as rows of choices."""

import html
from collections.abc import Iterator, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import controls, spaced
from app.figures.canvas import dress, figure, footnote, names_axis
from app.figures.figure_types import Floats, Roles
from app.figures.space_data import Searched, Space, short
from app.figures.theme import GREY, Style, styles

BOW = 0.62  # how far an edge that skips a node bends
BENDS, ROOM = 17, 0.35
GAP = "\u00a0" * 4  # keeps an option's name clear of its mark
LINE, LEFT = 34, 0.36  # pixels of a row of choices; of an option, left of its name


def architecture_figure(
    space: Space, found: Searched, label: str, roles: Roles, *, columns: int = 2
) -> go.Figure:
    """Draw the best architecture so far and the one that is trained; a slider moves it.

    Args:
        space: The searched space.
        found: One search.
        label: Whose it is.
        roles: Role by label, in the spec's order.
        columns: Panels of cells in a row.
    """
    look = styles(roles)[label]
    if space.edges:
        return _cells(space, found, look, columns)
    return _choices(space, found, look)


def cell_figure(space: Space, index: int, look: Style) -> go.Figure:
    """Draw one architecture of a space of cells."""
    words = space.words(space.codes(index))
    named = zip(space.positions, words, strict=True)
    alt = "Cell: " + ", ".join(f"{edge} {name}" for edge, name in named)
    made = figure(_graph(space, words, look, 0), title="", read="", alt=alt, height=180)
    nodes = 1 + max(end for _, end in space.edges)
    bow = BOW * max(1, nodes - 2) + ROOM
    made.update_xaxes(visible=False, fixedrange=True, range=[-0.35, nodes - 0.65])
    made.update_yaxes(visible=False, fixedrange=True, range=[-bow, bow])
    return made.update_layout(showlegend=False, hovermode=False, margin={"t": 4})


def _told(space: Space, found: Searched, look: Style) -> dict[str, str]:
    names = space.words(space.codes(found.best[-1]))
    pairs = zip(space.positions, names, strict=True)
    said = ", ".join(f"{position} {name}" for position, name in pairs)
    return {
        "title": f"The best that {look.name} has found, and what it tries",
        "alt": f"Best architecture of {look.label} after {len(found.best)} "
        f"evaluations: {said}",
    }


def _cells(space: Space, found: Searched, look: Style, columns: int) -> go.Figure:
    rows = 2 // columns
    made = make_subplots(rows, columns, horizontal_spacing=0.04, vertical_spacing=0.12)
    dress(
        made,
        **_told(space, found, look),
        read="Circles are nodes, from input to output; each edge is named by the "
        "operation on it.",
        height=40 + 220 * rows,
    )
    shots = spaced(len(found.index))
    for trace, panel in _both(space, found, shots[-1], look):
        at = {"row": panel // columns + 1, "col": panel % columns + 1}
        made.add_trace(trace, **at)
    made.frames = [
        go.Frame(
            name=str(shot + 1), data=[t for t, _ in _both(space, found, shot, look)]
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
            **{"text": f"<b>{name}</b>", "x": 0, "y": 1, "xanchor": "left"},
            **{"xref": f"x{axis} domain", "yref": f"y{axis} domain"},
            **{"yanchor": "bottom", "showarrow": False},
        )
    made.update_layout(hovermode="closest", showlegend=False, margin={"t": 28})
    controls(made, [shot + 1 for shot in shots], word="evaluation")
    return made


def _both(
    space: Space, found: Searched, shot: int, look: Style
) -> Iterator[tuple[go.Scatter, int]]:
    for panel, index in enumerate((found.best[shot], found.index[shot])):
        words = space.words(space.codes(index))
        for trace in _graph(space, words, look, panel):
            yield trace, panel


def _graph(
    space: Space, words: Sequence[str], look: Style, panel: int
) -> Iterator[go.Scatter]:
    x, y = list[float](), list[float]()
    middle = []
    for start, end in space.edges:
        bend = _bend(start, end)
        x += [*bend[:, 0], np.nan]
        y += [*bend[:, 1], np.nan]
        middle.append(bend[BENDS // 2])
    still = {"hoverinfo": "skip", "showlegend": False}
    line = {"color": look.color, "width": 1.8}
    yield go.Scatter(x=x, y=y, mode="lines", line=line, uid=f"edges:{panel}", **still)
    at = np.array(middle)
    yield go.Scatter(
        **{"x": at[:, 0], "y": at[:, 1], "mode": "text"},
        textposition=["bottom center" if y < 0 else "top center" for y in at[:, 1]],
        **{"text": [html.escape(short(w)) for w in words], "textfont": {"size": 10.5}},
        **{"uid": f"words:{panel}", **still},
    )
    nodes = 1 + max(end for _, end in space.edges)
    names = ["in", *(str(i) for i in range(1, nodes - 1)), "out"]
    marker = {"size": 24, "color": look.color, "line": {"width": 0}}
    yield go.Scatter(
        **{"x": list(range(nodes)), "y": [0] * nodes, "mode": "markers+text"},
        **{"text": names, "textfont": {"size": 10, "color": "#ffffff"}},
        **{"marker": marker, "uid": f"nodes:{panel}", **still},
    )


def _bend(start: int, end: int) -> Floats:
    """Return the line of an edge; one that skips nodes goes round them."""
    t = np.linspace(0, 1, BENDS)
    side = 1 if start % 2 == 0 else -1
    height = side * BOW * (end - start - 1) * 0.9
    return np.stack([start + (end - start) * t, 4 * height * t * (1 - t)], 1)


def _choices(space: Space, found: Searched, look: Style) -> go.Figure:
    made = figure(
        **_told(space, found, look),
        read="Each row is a decision. Filled: the option of the best so far; ring: "
        "that of the one that is trained.",
        height=56 + LINE * len(space.positions),
    )
    made.add_trace(_menu(space))
    shots = spaced(len(found.index))
    for trace in _marks(space, found, shots[-1], look):
        made.add_trace(trace)
    made.frames = [
        go.Frame(
            name=str(shot + 1), data=[*_marks(space, found, shot, look)], traces=[1, 2]
        )
        for shot in shots
    ]
    most = max(len(names) for names in space.options)
    made.update_xaxes(visible=False, fixedrange=True, range=[-0.55, most - 0.45])
    names = [html.escape(short(name, 18)) for name in space.positions]
    made.update_yaxes(names_axis() | {"fixedrange": True, "zeroline": False})
    made.update_yaxes(tickvals=list(range(len(names))), ticktext=names)
    made.update_yaxes(range=[len(names) - 0.5, -0.5])
    made.update_layout(hovermode="closest", showlegend=False, margin={"t": 26})
    footnote(made, "● best so far   ◯ trained now")
    controls(made, [shot + 1 for shot in shots], word="evaluation")
    return made


def _menu(space: Space) -> go.Scatter:
    pairs = [
        (at - LEFT, place, GAP + html.escape(short(name, 11)))
        for place, names in enumerate(space.options)
        for at, name in enumerate(names)
    ]
    x, y, text = zip(*pairs, strict=True)
    return go.Scatter(
        **{"x": x, "y": y, "text": text, "mode": "text", "hoverinfo": "skip"},
        **{"textfont": {"size": 11}, "textposition": "middle right"},
        **{"showlegend": False, "uid": "menu"},
    )


def _marks(
    space: Space, found: Searched, shot: int, look: Style
) -> Iterator[go.Scatter]:
    rows = np.arange(len(space.positions))
    ring = {"symbol": "circle-open", "size": 17, "color": GREY, "line": {"width": 2}}
    for name, index, marker in (
        ("best", found.best[shot], {"size": 10, "color": look.color}),
        ("now", found.index[shot], ring),
    ):
        yield go.Scatter(
            **{"x": space.codes(index) - LEFT, "y": rows, "mode": "markers"},
            **{"marker": marker, "hoverinfo": "skip", "showlegend": False},
            uid=f"{look.label}:{name}",
        )
