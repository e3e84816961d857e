"""Survival curves: the share of tasks that have not reached the threshold yet."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.curves import mean_trace
from app.figures.figure_parts import (
    add_footnote,
    add_legend_below,
    add_y_caption,
    band_trace,
    describe_band,
    make_figure,
)
from app.figures.figure_types import Roles
from app.figures.theme import Style, assign_styles, learner_name
from engine.stats.inference.survival import Survival


class SurvivalWords(NamedTuple):
    """The words of a survival curve: title, x axis and y axis."""

    title: str = "Steps to threshold"
    x: str = "Step"
    not_arrived: str = "Not yet at threshold"


def survival_figure(
    arrivals: Mapping[str, Survival],
    roles: Roles,
    threshold: float | None = None,
    words: SurvivalWords | None = None,
    *,
    height: int = 320,
) -> go.Figure:
    """Draw the share of tasks that have not reached the threshold yet.

    Args:
        arrivals: Curve by label.
        roles: Role by label, in the spec's order.
        threshold: The level to reach, nats.
        words: Other words, where the event is not a loss threshold.
        height: Pixels, with one row of legend.
    """
    words = words or SurvivalWords()
    level = f" of {threshold:.3g} nats" if threshold is not None else ""
    labels = [label for label in roles if label in arrivals]
    made = make_figure(
        title=words.title,
        how_to_read="Faster learners drop sooner; what stays up never reached it.",
        alt=f"{words.title}, {words.not_arrived.lower()}{level}: "
        + "; ".join(
            f"{label} ends at {_final_share(arrivals[label]):.0%}" for label in labels
        ),
        height=height,
    )
    styles = assign_styles(roles)
    # Chosen learners are drawn last, so that they are on top.
    for label in sorted(labels, key=lambda name: roles[name] == "chosen"):
        _add_survival(made, arrivals[label], styles[label])
    made.update_yaxes(range=[-0.02, 1.03], tickformat=".0%")
    made.update_xaxes(title_text=words.x)
    add_y_caption(made, f"{words.not_arrived}{level}")
    add_footnote(
        made, describe_band([np.max(arrivals[label].n) for label in labels] or 1)
    )
    add_legend_below(made, [learner_name(label) for label in labels])
    return made


def _final_share(arrival: Survival) -> float:
    return float(np.asarray(arrival.share)[-1])


def _add_survival(figure: go.Figure, arrival: Survival, style: Style) -> None:
    step, share, low, high = (
        np.asarray(v, dtype=float)
        for v in (arrival.step, arrival.share, arrival.low, arrival.high)
    )
    area = band_trace(step, low, high, style, stairs=True)
    if area is not None:
        figure.add_trace(area)
    line = mean_trace(step, share, (low, high), style)
    line.line.shape = "hv"
    line.hovertemplate = "%{y:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]"
    figure.add_trace(line)
