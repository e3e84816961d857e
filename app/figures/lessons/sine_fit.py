"""A net fits a sine curve, from meta-learned weights and from random ones."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

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


class Fit(NamedTuple):
    """What is drawn, all but the support of shape (point,).

    Args:
        x: Where the curves are drawn.
        truth: The true function.
        before: The meta-learned net before it sees anything.
        adapted: The meta-learned net after its gradient steps.
        scratch: A net with random weights after as many.
        support: Inputs and targets that both may see, shape (2, example).
    """

    x: Floats
    truth: Floats
    before: Floats
    adapted: Floats
    scratch: Floats
    support: Floats

    @property
    def errors(self) -> tuple[float, float]:
        """Return the mean squared errors of the meta-learned and the random net."""
        gaps = (self.adapted - self.truth, self.scratch - self.truth)
        return float(np.mean(gaps[0] ** 2)), float(np.mean(gaps[1] ** 2))


def fit_figure(fit: Fit, steps: int) -> go.Figure:
    """Draw a fit.

    Args:
        fit: The curves.
        steps: How many gradient steps were taken.
    """
    ours, theirs = map(format_number, fit.errors)
    words = Words(
        f"After {steps} gradient step{'s' * (steps != 1)}",
        f"Mean squared error: {ours} from meta-learned weights, {theirs} from random "
        "ones.",
        f"Curves through {fit.support.shape[1]} points; mean squared error {ours} from "
        f"meta-learned weights, {theirs} from random ones.",
        "x",
        "y",
    )
    support = {"color": TRUTH["color"], "width": 0}
    faint = {**LEARNED, "width": 1.4, "dash": "dot"}
    lines = [
        Line("true function", fit.x, fit.truth, TRUTH),
        Line("support", fit.support[0], fit.support[1], support, "markers"),
        Line("MAML before", fit.x, fit.before, faint),
        Line("MAML", fit.x, fit.adapted, LEARNED),
        Line("random weights", fit.x, fit.scratch, RIVAL),
    ]
    return line_figure(lines, words)
