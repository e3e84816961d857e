"""What a claimed spread costs: coverage of its intervals, and its likelihood."""

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_types import Floats
from app.figures.lessons.line_figure import LEARNED, TRUTH, Line, Words, line_figure
from app.figures.theme import COLORS, format_number


def coverage_figure(levels: Floats, covered: Floats) -> go.Figure:
    """Draw how often central intervals hold the target, over what they claim.

    Args:
        levels: Claimed probabilities, shape (level,).
        covered: How often they do.
    """
    words = Words(
        "Coverage",
        "On the diagonal, intervals keep what they promise; below it, they are too "
        "narrow.",
        f"Intervals that claim {100 * levels[-1]:.0f} % hold "
        f"{100 * covered[-1]:.0f} % of the targets.",
        "Claimed probability of the interval",
        "Share of targets inside",
    )
    lines = [
        Line("calibrated", levels, levels, TRUTH),
        Line("this claim", levels, covered, LEARNED),
    ]
    made = line_figure(lines, words)
    made.update_yaxes(range=[0, 1.02])
    return made


def likelihood_figure(
    claims: Floats, nll: Floats, now: tuple[float, float]
) -> go.Figure:
    """Draw the expected negative log-likelihood over the claimed spread.

    Args:
        claims: Claimed spread divided by the true one, shape (claim,).
        nll: Its negative log-likelihood, nats.
        now: The claim that was chosen, and its value.
    """
    words = Words(
        "Negative log-likelihood",
        "The honest claim, 1, is the lowest point. Too sure costs far more than too "
        "careful.",
        f"At {now[0]:g} times the true spread: {format_number(now[1])} nats.",
        "Claimed spread ÷ true spread",
        "Nats",
    )
    point = {"color": COLORS["red"], "width": 0}
    lines = [
        Line("any claim", claims, nll, LEARNED),
        Line("this claim", np.array([now[0]]), np.array([now[1]]), point, "markers"),
    ]
    made = line_figure(lines, words)
    made.update_xaxes(type="log", tickvals=[0.25, 0.5, 1, 2, 4])
    made.update_traces(marker_size=11, selector={"mode": "markers"})
    return made
