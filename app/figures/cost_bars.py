"""Stacked bars of what each learner cost in tuning, meta-training and test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import add_legend_below, make_figure, names_axis
from app.figures.figure_types import Roles
from app.figures.theme import GREY, Style, assign_styles, learner_name, with_alpha

_COST_PHASES = (
    ("tune", "Tuning", "/"),
    ("train", "Meta-training", "."),
    ("test", "Test", ""),
)


def ledger_figure(
    ledger: Mapping[str, Mapping[str, int]],
    roles: Roles,
    paid: tuple[str, str] = ("Gradients", "Gradient evaluations"),
) -> go.Figure:
    """Draw each learner's cost, including tuning and meta-training.

    Args:
        ledger: Cost by label and phase (tune, train, test).
        roles: Role by label, in the spec's order.
        paid: The unit of cost, and the axis title.
    """
    # Plotly stacks rows from the bottom up; the first learner goes on top.
    labels = [label for label in roles if label in ledger][::-1]
    phases = [phase for phase, _, _ in _COST_PHASES]
    totals = {a: sum(ledger[a].get(phase, 0) for phase in phases) for a in labels}
    made = make_figure(
        title="Cost",
        how_to_read=f"{paid[0]} spent by phase: the gain of a tuned or meta-trained "
        "learner has to be worth its extra cost.",
        alt=f"{paid[1]}: "
        + "; ".join(f"{label} {count:,}" for label, count in totals.items()),
        height=104 + 40 * len(labels),
    )
    styles = assign_styles(roles)
    for phase, name, pattern in _COST_PHASES:
        made.add_trace(_cost_bars(ledger, phase, (name, pattern), styles, labels))
        made.add_trace(_legend_bar(name, pattern))
    for label in labels:
        made.add_annotation(
            text=f"{totals[label]:,}",
            x=totals[label],
            y=learner_name(label),
            xanchor="left",
            xshift=4,
            showarrow=False,
        )
    most = max(totals.values(), default=1) or 1
    made.update_xaxes(title_text=paid[1], tickformat="~s", nticks=5)
    # Room for the totals, which stand to the right of the bars.
    made.update_xaxes(range=[0, 1.28 * most])
    made.update_yaxes(names_axis())
    made.update_layout(barmode="stack", bargap=0.35, hovermode="closest", margin_t=6)
    add_legend_below(made, [name for _, name, _ in _COST_PHASES])
    return made


def _cost_bars(
    ledger: Mapping[str, Mapping[str, int]],
    phase: str,
    drawn: tuple[str, str],
    styles: Mapping[str, Style],
    labels: Sequence[str],
) -> go.Bar:
    name, pattern = drawn
    colors = [styles[label].color for label in labels]
    return go.Bar(
        x=np.array([ledger[label].get(phase, 0) for label in labels]),
        y=[learner_name(label) for label in labels],
        orientation="h",
        name=name,
        showlegend=False,
        marker=_bar_marker(colors, pattern),
        legendgroup=name,
        hovertemplate=f"{name}: %{{x:,}}<extra></extra>",
    )


def _legend_bar(name: str, pattern: str) -> go.Bar:
    return go.Bar(
        x=[None],
        y=[None],
        name=name,
        legendgroup=name,
        marker=_bar_marker([GREY], pattern),
    )


def _bar_marker(colors: Sequence[str], pattern: str) -> dict[str, Any]:
    return {
        "color": [with_alpha(color, 0.3) if pattern else color for color in colors],
        "line": {"color": list(colors), "width": 1},
        "pattern": {"shape": pattern, "fgcolor": list(colors), "size": 6},
    }
