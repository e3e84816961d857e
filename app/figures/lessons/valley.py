"""Gradient descent in a quadratic valley: its path over contours, and its loss."""

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import make_figure
from app.figures.figure_types import Floats
from app.figures.lessons.line_figure import (
    LEARNED,
    RIVAL,
    TRUTH,
    Line,
    Words,
    line_figure,
)
from app.figures.theme import format_number

VIEW = 3.2  # half the width of the picture of the path


def path_figure(curvature: Floats, path: Floats) -> go.Figure:
    """Draw the path of descent over the contours of its valley.

    Args:
        curvature: Of both directions, shape (2,).
        path: Points from the start on, shape (point, 2).
    """
    made = make_figure(
        [*_contours(curvature, path[0])],
        title="The path",
        how_to_read="Ellipses: places of the same loss. The cross is the bottom. A "
        "path that leaves the picture diverges.",
        alt=f"A path of {len(path) - 1} gradient steps in a valley; it ends "
        f"{format_number(float(np.hypot(*path[-1])))} from the bottom.",
        height=300,
    )
    # Far outside, Plotly could not draw it; it would not be seen anyway.
    inside = np.clip(path, -50 * VIEW, 50 * VIEW)
    made.add_scatter(
        x=inside[:, 0],
        y=inside[:, 1],
        mode="lines+markers",
        line=LEARNED,
        marker={"size": 6},
        name="SGD",
        hoverinfo="skip",
    )
    made.update_xaxes(range=[-VIEW, VIEW], title_text="w₁")
    made.update_yaxes(range=[-VIEW / 2, VIEW / 2], title_text="w₂")
    made.update_layout(showlegend=False, margin_b=40)
    return made


def _contours(curvature: Floats, start: Floats) -> list[go.Scatter]:
    """Return ellipses of the same loss, the outermost through the start."""
    angle = np.linspace(0, 2 * np.pi, 73)
    level = float(curvature @ start**2)
    ellipses = [
        go.Scatter(
            x=np.sqrt(share * level / curvature[0]) * np.cos(angle),
            y=np.sqrt(share * level / curvature[1]) * np.sin(angle),
            mode="lines",
            line={**TRUTH, "width": 1},
            hoverinfo="skip",
        )
        for share in (1.0, 0.49, 0.16, 0.02)
    ]
    bottom = go.Scatter(
        x=[0.0],
        y=[0.0],
        mode="markers",
        marker={"symbol": "cross", "size": 9, "color": TRUTH["color"]},
        hoverinfo="skip",
    )
    return [*ellipses, bottom]


def loss_figure(loss: Floats) -> go.Figure:
    """Draw the loss along one descent, shape (point,)."""
    words = Words(
        "The loss",
        "Straight down on this logarithmic axis: the same factor at each step.",
        f"Loss from {format_number(float(loss[0]))} to "
        f"{format_number(float(loss[-1]))}.",
        "Step",
        "Loss",
    )
    steps = np.arange(len(loss))
    # Zero cannot stand on a logarithmic axis; below this it makes no difference.
    shown = np.maximum(loss, 1e-12)
    return line_figure(
        [Line("SGD", steps, shown, LEARNED, "lines+markers")], words, log=True
    )


def learned_loss_figure(learned: Floats, tuned: Floats) -> go.Figure:
    """Draw the mean loss on new valleys, with learned and with constant step sizes.

    Args:
        learned: Along a test, shape (point,).
        tuned: With the constant one.
    """
    words = Words(
        "Loss on 500 new valleys",
        "Means; lower is better. Both were chosen on the same 64 other valleys.",
        f"After the last step the learned step sizes reach "
        f"{format_number(float(learned[-1]))}, the tuned constant one "
        f"{format_number(float(tuned[-1]))}.",
        "Step",
        "Mean loss",
    )
    steps = np.arange(len(learned))
    lines = [
        Line("learned step sizes", steps, learned, LEARNED, "lines+markers"),
        Line("SGD tuned", steps, tuned, RIVAL),
    ]
    return line_figure(lines, words, log=True)


def step_size_figure(learned: Floats, tuned: float) -> go.Figure:
    """Draw the learned step size of each step beside the tuned constant one."""
    words = Words(
        "The step sizes",
        "Large steps flatten the gentle direction; small ones then calm the steep one.",
        f"Learned step sizes from {format_number(float(learned[0]))} to "
        f"{format_number(float(learned[-1]))}; the constant one is {tuned:.2f}.",
        "Step",
        "Step size",
    )
    steps = np.arange(1, len(learned) + 1)
    lines = [
        Line("learned step sizes", steps, learned, LEARNED, "lines+markers"),
        Line("SGD tuned", steps, np.full(len(learned), tuned), RIVAL),
    ]
    return line_figure(lines, words)
