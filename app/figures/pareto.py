"""What does accuracy cost? The front of what nothing beats on both counts."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.canvas import figure, footnote, legend_below, y_caption
from app.figures.figure_types import Floats, Places, Roles
from app.figures.theme import GREY, Style, learner_name, styles
from engine.contract.appearance import name_in_words

DOTS = 1_500


class Property(NamedTuple):
    """What accuracy is held against: less of it is better."""

    name: str
    unit: str
    values: Floats


def pareto_figure(
    accuracy: Floats, held: Property, found: Mapping[str, Places], roles: Roles
) -> go.Figure:
    """Draw accuracy against a property: all architectures, those found, the front.

    Args:
        accuracy: Of every architecture of the space, share; NaN where there is none.
        held: The property of every architecture.
        found: What each strategy trained: positions in these arrays.
        roles: Role by label, in the spec's order.
    """
    labels = [label for label in roles if label in found]
    cost = np.asarray(held.values, dtype=np.float64)
    every = np.flatnonzero(np.isfinite(accuracy) & np.isfinite(cost))
    best = every[front(cost[every], accuracy[every])]
    whole = hypervolume(cost, accuracy, every, every)
    shares = {
        label: hypervolume(cost, accuracy, found[label], every) / whole
        if whole > 0
        else 0.0
        for label in labels
    }
    told = "; ".join(f"{learner_name(a)} {share:.1%}" for a, share in shares.items())
    made = figure(
        title=f"Accuracy against {name_in_words(held.name)}",
        read="Up and to the left is better. Line: what nothing in the space beats on "
        "both counts. Percentages: area that a search's finds dominate, of the "
        "line's own.",
        alt=f"Test accuracy against {held.name}; share of the hypervolume: {told}",
        height=320,
    )
    some = every[np.linspace(0, len(every) - 1, min(len(every), DOTS)).astype(int)]
    made.add_trace(_cloud(cost[some], accuracy[some]))
    made.add_trace(_front(cost[best], accuracy[best]))
    looks = styles(roles)
    for label in sorted(labels, key=lambda name: roles[name] == "chosen"):
        at = np.intersect1d(found[label], every)
        made.add_trace(_found(cost[at], accuracy[at], looks[label], shares[label]))
    large = len(every) > 0 and float(np.abs(cost[every]).max()) >= 1000
    ticks = "~s" if large else "~g"
    made.update_xaxes(title_text=_named(held), tickformat=ticks, nticks=6)
    made.update_yaxes(tickformat=".0%", range=_window(accuracy[every]))
    y_caption(made, "Test accuracy")
    footnote(made, f"{len(every):,} architectures")
    names = [f"{learner_name(label)} 99.9 %" for label in labels]
    legend_below(made, ["all", "front", *names])
    made.update_layout(hovermode="closest")
    return made


def front(cost: Floats, accuracy: Floats) -> Places:
    """Return what nothing beats on both counts, by rising cost.

    >>> front(np.array([1.0, 2.0, 3.0, 2.0]), np.array([0.5, 0.4, 0.9, 0.7])).tolist()
    [0, 3, 2]
    """
    order = np.lexsort((-accuracy, cost))
    peaks = np.maximum.accumulate(accuracy[order])
    return order[np.diff(peaks, prepend=-np.inf) > 0]


def hypervolume(cost: Floats, accuracy: Floats, some: Places, every: Places) -> float:
    """Return the area that some architectures dominate.

    It is bounded by the highest cost and the lowest accuracy of the space.

    Args:
        cost: Of every architecture.
        accuracy: Of every architecture.
        some: Positions of those that are looked at.
        every: Positions of those that there are.

    >>> one, two = np.array([1.0, 3.0]), np.array([0.5, 0.0])
    >>> hypervolume(one, two, np.array([0]), np.array([0, 1]))
    1.0
    """
    some = np.intersect1d(some, every)
    if not len(some):
        return 0.0
    worst, floor = cost[every].max(), accuracy[every].min()
    best = some[front(cost[some], accuracy[some])]
    widths = np.diff(np.append(cost[best], worst))
    return float((widths * (accuracy[best] - floor)).sum())


def _window(accuracy: Floats) -> list[float]:
    """Leave out the worst tenth: what is learned there is only that it is bad."""
    if not len(accuracy):
        return [0.0, 1.0]
    low, high = np.quantile(accuracy, 0.1), accuracy.max()
    room = 0.06 * max(high - low, 1e-3)
    return [float(low - room), float(high + 2 * room)]


def _named(held: Property) -> str:
    unit = f" ({held.unit})" if held.unit and held.unit != "count" else ""
    return name_in_words(held.name).capitalize() + unit


def _cloud(x: Floats, y: Floats) -> go.Scattergl | go.Scatter:
    return go.Scatter(
        **{"x": x.astype(np.float32), "y": y.astype(np.float32), "mode": "markers"},
        marker={"size": 4, "color": GREY, "opacity": 0.28},
        **{"name": "all", "hoverinfo": "skip", "uid": "all"},
    )


def _front(x: Floats, y: Floats) -> go.Scatter:
    return go.Scatter(
        **{"x": x, "y": y, "mode": "lines", "name": "front", "uid": "front"},
        line={"color": GREY, "width": 1.6, "shape": "hv"},
        hovertemplate="%{x:.4g}: %{y:.2%}<extra>front</extra>",
    )


def _found(x: Floats, y: Floats, look: Style, share: float) -> go.Scatter:
    ring = {"color": "rgba(255,255,255,0.85)", "width": 0.8}
    marker = {"size": 8, "color": look.color, "symbol": look.symbol, "line": ring}
    return go.Scatter(
        **{"x": x, "y": y, "mode": "markers", "marker": marker, "opacity": 0.85},
        **{
            "name": f"{look.name} {share:.1%}",
            "uid": f"{look.label}:found",
        },
        **{"legendrank": look.rank},
        hovertemplate="%{x:.4g}: %{y:.2%}<extra>" + look.name + "</extra>",
    )
