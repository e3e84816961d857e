"""Curves by step: means with bands, divergences, and survival curves."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.alive_strip import (
    add_alive_strip,
    name_capped,
)
from app.figures.axis_range import metric_axis
from app.figures.figure_parts import (
    add_footnote,
    add_legend_below,
    add_y_caption,
    band_trace,
    describe_band,
    make_figure,
    mask_nonpositive,
)
from app.figures.figure_types import CurveOptions, Floats, Roles
from app.figures.percent_axis import show_percent
from app.figures.point_limit import thin_indices
from app.figures.theme import (
    GREY,
    INTERVAL_NAME,
    Style,
    assign_styles,
    axis_title,
    learner_name,
)
from engine.contract.metrics import metric
from engine.stats.curves import Curve

NEVER_SMOOTHED = frozenset({"lr_scale"})
HOW_TO_READ = (
    f"Line: mean over tasks and replicates. Band: {INTERVAL_NAME} over replicates."
)


def curves_figure(
    curves: Iterable[Curve],
    metric_name: str,
    roles: Roles,
    view: CurveOptions | None = None,
    styles: Mapping[str, Style] | None = None,
) -> go.Figure:
    """Draw one metric of every learner against x.

    Args:
        curves: One per learner, in any order; x ascending.
        metric_name: A name of `metrics.METRICS`.
        roles: Role by label, in the spec's order.
        view: Axes and smoothing; the learning-rate scale is never smoothed.
        styles: How each learner is drawn; as everywhere if not given.

    Returns:
        The figure; `meta` tells how to read it and what a log axis left out.
    """
    view = view or CurveOptions()
    kind = metric(metric_name)
    log = kind.scale == "log" if view.log_y is None else view.log_y
    smooth = 0.0 if metric_name in NEVER_SMOOTHED else view.smooth
    shown = order_curves(curves, roles)
    made = make_figure(
        title=f"{kind.label} by {view.x_title.lower()}",
        how_to_read=HOW_TO_READ + _how_to_read(metric_name, smooth),
        alt=_alt_text(shown, kind.label, view.x_title),
        height=view.height,
    )
    styles = styles or assign_styles(roles)
    dropped = sum(_add_curve(made, c, styles[c.learner], log, smooth) for c in shown)
    made.update_xaxes(title_text=view.x_title)
    axis = metric_axis(shown, kind, log=log)
    made.update_yaxes(axis.settings)
    if kind.share:
        show_percent(made)
    if metric_name == "lr_scale":
        add_reference_line(made, 1.0, "SGD = 1", log=log)
    add_captions(made, shown, metric_name, dropped, axis.note)
    add_alive_strip(made, metric_name, shown, styles)
    return made


def order_curves(curves: Iterable[Curve], roles: Roles) -> list[Curve]:
    """Return the curves that have a role, baselines first so that others are on top.

    Args:
        curves: Curves of any learners.
        roles: Role by label, in the spec's order.
    """
    places = {label: i for i, label in enumerate(roles)}
    known = [c for c in curves if c.learner in places]
    return sorted(
        known, key=lambda c: (roles[c.learner] == "chosen", -places[c.learner])
    )


def add_captions(
    figure: go.Figure,
    shown: Sequence[Curve],
    metric_name: str,
    dropped: int,
    cut: str = "",
) -> None:
    """Write caption, n and remarks, and reserve room for the legend.

    Args:
        figure: The figure.
        shown: The curves that are drawn.
        metric_name: The metric on the y axis.
        dropped: Number of values that a log axis cannot show.
        cut: What the axis cuts; empty if nothing.
    """
    add_y_caption(figure, name_capped(axis_title(metric_name), shown))
    add_footnote(
        figure,
        describe_band(np.concatenate([np.atleast_1d(c.n) for c in shown]))
        if shown
        else "",
        f"log axis leaves out {dropped} values ≤ 0" if dropped else "",
        cut,
    )
    add_legend_below(figure, [learner_name(curve.learner) for curve in shown])


def add_reference_line(
    figure: go.Figure, level: float, text: str, *, log: bool
) -> None:
    """Draw a dashed level line with its name."""
    add_level_line(figure, level)
    figure.add_annotation(
        text=text,
        xref="x domain",
        x=1,
        xanchor="right",
        y=np.log10(level) if log else level,
        yanchor="bottom",
        showarrow=False,
        font={"size": 11},
        opacity=0.85,
    )


def add_level_line(figure: go.Figure, level: float) -> None:
    """Draw a dashed level line."""
    figure.add_shape(
        type="line",
        xref="x domain",
        x0=0,
        x1=1,
        line={"color": GREY, "dash": "dash", "width": 1.2},
        y0=level,
        y1=level,
        layer="below",
    )


def smooth_values(values: Floats, weight: float, *, log: bool) -> Floats:
    """Return the bias-corrected exponential moving average, as Adam corrects it.

    Args:
        values: Shape (step,); a NaN stays NaN and does not spread.
        weight: Of the past, 0 to 0.99.
        log: Average the logarithms, as suits a log axis.

    >>> smooth_values(np.array([1.0, 3.0]), 0.5, log=False).round(3).tolist()
    [1.0, 2.333]
    """
    source = (
        np.log(mask_nonpositive(values)[0]) if log else np.asarray(values, dtype=float)
    )
    out = np.full(len(source), np.nan)
    total = mass = 0.0
    for i, value in enumerate(source):
        if np.isfinite(value):
            total = weight * total + (1 - weight) * value
            mass = weight * mass + (1 - weight)
            out[i] = total / mass
    return np.exp(out) if log else out


def _add_curve(
    figure: go.Figure, curve: Curve, style: Style, log: bool, smooth: float
) -> int:
    x, mean, low, high = (
        np.asarray(v, dtype=float) for v in (curve.x, curve.mean, curve.low, curve.high)
    )
    dropped = 0
    if log:
        mean, dropped = mask_nonpositive(mean)
        floor = np.nanmin(mean) if np.isfinite(mean).any() else 1.0
        low = np.where(low > 0, low, np.where(np.isfinite(low), floor, np.nan))
        high = mask_nonpositive(high)[0]
    area = band_trace(x, low, high, style)
    if area is not None:
        figure.add_trace(area)
    if smooth > 0:
        figure.add_trace(_raw_trace(x, mean, style))
    line = smooth_values(mean, smooth, log=log) if smooth > 0 else mean
    figure.add_trace(mean_trace(x, line, (low, high), style))
    return dropped


def mean_trace(
    x: Floats, y: Floats, ends: tuple[Floats, Floats], style: Style
) -> go.Scatter:
    """Return a learner's mean line, with its interval in the hover text.

    Args:
        x: Positions, ascending, shape (n,).
        y: Means, shape (n,).
        ends: Lower and upper ends of the interval, each of shape (n,).
        style: The learner's style.
    """
    kept = thin_indices(x, y)
    mode = "lines" if np.isfinite(y).sum() > 1 else "lines+markers"
    has_band = bool((ends[1] > ends[0]).any())
    hover = " [%{customdata[0]:.3g}, %{customdata[1]:.3g}]" if has_band else ""
    return go.Scatter(
        x=x[kept],
        y=y[kept],
        customdata=np.stack(ends, axis=1)[kept] if has_band else None,
        mode=mode,
        line=style.line,
        name=style.name,
        legendgroup=style.label,
        uid=f"{style.label}:mean",
        legendrank=style.rank,
        hovertemplate=f"%{{y:.3g}}{hover}",
    )


def _raw_trace(x: Floats, y: Floats, style: Style) -> go.Scatter:
    kept = thin_indices(x, y)
    return go.Scatter(
        x=x[kept],
        y=y[kept],
        mode="lines",
        line={"color": style.color, "width": 1},
        opacity=0.35,
        hoverinfo="skip",
        showlegend=False,
        legendgroup=style.label,
        uid=f"{style.label}:raw",
        name=f"{style.name}, as measured",
    )


def _how_to_read(metric_name: str, smooth: float) -> str:
    kind = metric(metric_name)
    lower = {-1: " Lower is better.", 1: " Higher is better.", 0: ""}[kind.direction]
    if metric_name == "lr_scale":
        return " Above the dashed line: larger steps than SGD at the base rate."
    if smooth > 0:
        return lower + f" Smoothed ({smooth:g}); the faint line is the raw curve."
    return lower


def _alt_text(shown: Sequence[Curve], label: str, x_title: str) -> str:
    ends = []
    for curve in reversed(shown):
        values = np.asarray(curve.mean, dtype=float)
        finite = values[np.isfinite(values)]
        if len(finite):
            ends.append(f"{curve.learner} from {finite[0]:.3g} to {finite[-1]:.3g}")
    return f"{label} by {x_title.lower()}: " + ("; ".join(ends) or "no data yet")
