"""Pareto front of accuracy against a cost such as parameters or latency."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import (
    add_footnote,
    add_legend_below,
    add_y_caption,
    make_figure,
)
from app.figures.figure_types import Floats, Indices, Roles
from app.figures.theme import GREY, Style, assign_styles, learner_name
from engine.contract.learner_appearance import name_in_words
from engine.stats.search.pareto import hypervolume, pareto_front

DOTS = 1_500


class CostProperty(NamedTuple):
    """The property traded off against accuracy; less of it is better."""

    name: str
    unit: str
    values: Floats


def pareto_figure(
    accuracy: Floats,
    cost_property: CostProperty,
    found: Mapping[str, Indices],
    roles: Roles,
) -> go.Figure:
    """Draw accuracy against a property: all architectures, those found, the front.

    Args:
        accuracy: Of every architecture of the space, share; NaN where there is none.
        cost_property: The property of every architecture.
        found: By label, indices of the architectures that each strategy trained.
        roles: Role by label, in the spec's order.
    """
    labels = [label for label in roles if label in found]
    cost = np.asarray(cost_property.values, dtype=np.float64)
    every = np.flatnonzero(np.isfinite(accuracy) & np.isfinite(cost))
    known = {label: np.intersect1d(found[label], every) for label in labels}
    shares = _shares(accuracy, cost, every, known)
    percentages = "; ".join(
        f"{learner_name(a)} {share:.1%}" for a, share in shares.items()
    )
    made = make_figure(
        title=f"Accuracy against {name_in_words(cost_property.name)}",
        how_to_read="Up and to the left is better. Line: the Pareto front of the "
        "space. Percentages: hypervolume of what a search found, relative to the "
        "front's.",
        alt=f"Test accuracy against {cost_property.name}; share of the "
        f"hypervolume: {percentages}",
        height=320,
    )
    some = every[np.linspace(0, len(every) - 1, min(len(every), DOTS)).astype(int)]
    made.add_trace(_cloud_trace(cost[some], accuracy[some]))
    best = pareto_front(accuracy[every], cost[every])
    made.add_trace(_front_trace(best.price, best.score))
    styles = assign_styles(roles)
    # Chosen learners are drawn last, so that they are on top.
    for label in sorted(labels, key=lambda name: roles[name] == "chosen"):
        at = known[label]
        made.add_trace(
            _found_trace(cost[at], accuracy[at], styles[label], shares[label])
        )
    large = len(every) > 0 and float(np.abs(cost[every]).max()) >= 1000
    ticks = "~s" if large else "~g"
    made.update_xaxes(
        title_text=_property_title(cost_property), tickformat=ticks, nticks=6
    )
    made.update_yaxes(tickformat=".0%", range=_accuracy_range(accuracy[every]))
    add_y_caption(made, "Test accuracy")
    add_footnote(made, f"{len(every):,} architectures")
    names = [f"{learner_name(label)} 99.9 %" for label in labels]
    add_legend_below(made, ["all", "front", *names])
    made.update_layout(hovermode="closest")
    return made


def _shares(
    accuracy: Floats, cost: Floats, every: Indices, known: Mapping[str, Indices]
) -> dict[str, float]:
    """Return each search's hypervolume as a share of the space's.

    The reference point is the highest cost and the lowest accuracy of the space.
    """
    if not len(every):
        return dict.fromkeys(known, 0.0)
    corner = (float(accuracy[every].min()), float(cost[every].max()))
    whole = hypervolume(accuracy[every], cost[every], corner)
    return {
        label: hypervolume(accuracy[at], cost[at], corner) / whole if whole > 0 else 0.0
        for label, at in known.items()
    }


def _accuracy_range(accuracy: Floats) -> list[float]:
    """Return the y range without the worst tenth, which would flatten the rest."""
    if not len(accuracy):
        return [0.0, 1.0]
    low, high = np.quantile(accuracy, 0.1), accuracy.max()
    room = 0.06 * max(high - low, 1e-3)
    return [float(low - room), float(high + 2 * room)]


def _property_title(cost_property: CostProperty) -> str:
    unit = (
        f" ({cost_property.unit})"
        if cost_property.unit and cost_property.unit != "count"
        else ""
    )
    return name_in_words(cost_property.name).capitalize() + unit


def _cloud_trace(x: Floats, y: Floats) -> go.Scattergl | go.Scatter:
    return go.Scatter(
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        mode="markers",
        marker={"size": 4, "color": GREY, "opacity": 0.28},
        name="all",
        hoverinfo="skip",
        uid="all",
    )


def _front_trace(x: Floats, y: Floats) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        name="front",
        uid="front",
        line={"color": GREY, "width": 1.6, "shape": "hv"},
        hovertemplate="%{x:.4g}: %{y:.2%}<extra>front</extra>",
    )


def _found_trace(x: Floats, y: Floats, style: Style, share: float) -> go.Scatter:
    ring = {"color": "rgba(255,255,255,0.85)", "width": 0.8}
    marker = {"size": 8, "color": style.color, "symbol": style.symbol, "line": ring}
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        marker=marker,
        opacity=0.85,
        name=f"{style.name} {share:.1%}",
        uid=f"{style.label}:found",
        legendrank=style.rank,
        hovertemplate="%{x:.4g}: %{y:.2%}<extra>" + style.name + "</extra>",
    )
