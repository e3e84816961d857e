"""Marks of the examples of one episode, in the plane that they are projected to."""

import plotly.graph_objects as go

from app.figures.figure_types import Floats, Indices
from app.figures.projection import class_colors, class_symbols

WRONG = "#ca3401"


def query_marks(at: Floats, classes: Indices, label: str) -> go.Scatter:
    """Return the queries, colored by their true class."""
    look = {"color": class_colors(classes), "symbol": class_symbols(classes)}
    return go.Scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        marker={**look, "size": 9, "opacity": 0.9},
        hoverinfo="skip",
        name="queries",
        uid=f"{label}:queries",
    )


def numbered_marks(at: Floats, classes: Indices, label: str) -> go.Scatter:
    """Return examples with the number of their class."""
    look = {"color": class_colors(classes), "symbol": class_symbols(classes)}
    ring = {"color": "#ffffff", "width": 1}
    return go.Scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers+text",
        text=[str(int(k) + 1) for k in classes],
        marker={**look, "size": 17, "line": ring},
        textfont={"color": "#ffffff", "size": 10},
        hoverinfo="skip",
        name="support",
        uid=f"{label}:support",
    )


def rings(at: Floats, label: str, size: int) -> go.Scatter:
    """Return rings around wrong answers."""
    return go.Scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        marker={"symbol": "circle-open", "size": size, "color": WRONG},
        hoverinfo="skip",
        name="wrong",
        uid=f"{label}:wrong",
    )


def crosses(at: Floats, label: str) -> go.Scatter:
    """Return crosses on wrong answers."""
    cut = {"color": "#ffffff", "width": 1.5}
    return go.Scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        marker={"symbol": "x-thin", "size": 5, "line": cut},
        hoverinfo="skip",
        name="wrong",
        uid=f"{label}:crosses",
    )
