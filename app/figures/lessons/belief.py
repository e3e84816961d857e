"""What is believed of a function from some of its points, with its doubt."""

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_types import Floats
from app.figures.lessons.line_figure import LEARNED, TRUTH, Line, Words, line_figure
from app.figures.theme import with_alpha

NINETY = 1.6449  # standard deviations: 90 % lie within


def belief_figure(
    x: Floats, truth: Floats, given: Floats, belief: tuple[Floats, Floats]
) -> go.Figure:
    """Draw a belief.

    Args:
        x: Where the curves are drawn, shape (point,).
        truth: The true function.
        given: The examples, shape (2, example).
        belief: Mean and spread of the answers.
    """
    mean, spread = belief
    inside = float(np.mean(np.abs(truth - mean) <= NINETY * spread + 1e-3))
    words = Words(
        f"After {given.shape[1]} example{'s' * (given.shape[1] != 1)}",
        f"Band: 90 % intervals; here they hold {100 * inside:.0f} % of the true "
        "function.",
        f"A belief about a function from {given.shape[1]} examples; its 90 % intervals "
        f"hold {100 * inside:.0f} % of the function.",
        "x",
        "y",
    )
    points = {"color": TRUTH["color"], "width": 0}
    lines = [
        Line("true function", x, truth, TRUTH),
        Line("examples", given[0], given[1], points, "markers"),
        Line("answer", x, mean, LEARNED),
    ]
    made = line_figure(lines, words)
    made.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([mean + NINETY * spread, (mean - NINETY * spread)[::-1]]),
        fill="toself",
        fillcolor=with_alpha(LEARNED["color"], 0.16),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    made.update_yaxes(range=[-3.2, 3.2])
    return made
