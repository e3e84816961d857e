"""Regret of simulated searches: each one faint, their mean strong."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_types import Floats
from app.figures.lessons.line_figure import LEARNED, RIVAL, Line, Words, line_figure
from app.figures.theme import format_number, with_alpha

FAINT = 8  # single searches that are drawn


def regret_figure(regret: Mapping[str, Floats]) -> go.Figure:
    """Draw the regret of two strategies.

    Args:
        regret: By name, shape (search, evaluation), as a share of all answers.
    """
    looks = dict(zip(regret, (RIVAL, LEARNED), strict=True))
    ends = [
        f"{name} {format_number(float(r[:, -1].mean()))}" for name, r in regret.items()
    ]
    words = Words(
        "Regret of simulated searches",
        "Faint: single searches. Strong: the mean of all. Lower is better.",
        f"Mean regret after the last evaluation: {', '.join(ends)}.",
        "Evaluations",
        "Regret (accuracy that is still missing)",
    )
    steps = np.arange(1, next(iter(regret.values())).shape[1] + 1)
    lines = [
        Line(name, steps, values.mean(0), looks[name])
        for name, values in regret.items()
    ]
    made = line_figure(lines, words)
    for name, values in regret.items():
        for single in values[:FAINT]:
            made.add_trace(_faint_trace(steps, single, looks[name]))
    # Random first evaluations would leave no room for what follows.
    after = [values[:, 4:].mean(0).max() for values in regret.values()]
    made.update_yaxes(range=[0, 1.6 * float(max(after))])
    return made


def _faint_trace(steps: Floats, single: Floats, look: dict[str, Any]) -> go.Scatter:
    return go.Scatter(
        x=steps,
        y=single,
        mode="lines",
        line={"color": with_alpha(look["color"], 0.3), "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
