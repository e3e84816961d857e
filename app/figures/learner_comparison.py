"""Comparison of learners: results per task, and performance profiles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.axis_range import LINES_CUT
from app.figures.figure_parts import (
    add_footnote,
    add_legend_below,
    add_y_caption,
    band_trace,
    describe_band,
    log_axis,
    make_figure,
    mask_nonpositive,
    names_axis,
)
from app.figures.figure_types import Floats, Roles
from app.figures.forest import forest_figure
from app.figures.percent_axis import show_percent
from app.figures.theme import (
    GREY,
    Style,
    assign_styles,
    axis_title,
    format_number,
    learner_name,
)
from engine.contract.metrics import metric
from engine.stats.inference.intervals import Band

__all__ = ["forest_figure", "profile_figure", "spread_figure"]
STRIP_POINTS = 400
_GOLDEN = 0.6180339887498949


def spread_figure(
    values: Mapping[str, Floats],
    metric_name: str,
    roles: Roles,
    *,
    paired: bool = False,
    gap: str = "diverged",
) -> go.Figure:
    """Draw every task's result, and a box plot, for each learner.

    Args:
        values: One number a task by label; shape (replicate, task). NaN: none.
        metric_name: A name of `metrics.METRICS`.
        roles: Role by label, in the spec's order.
        paired: Connect the points of one task: lines that cross show tasks on which
            the order of two learners is reversed.
        gap: Why a task has no number.
    """
    kind = metric(metric_name)
    log = kind.scale == "log"
    # Plotly stacks rows from the bottom up; the first learner goes on top.
    labels = [label for label in roles if label in values][::-1]
    flat = {label: np.asarray(values[label], dtype=float).ravel() for label in labels}
    made = make_figure(
        title=f"{kind.label} on each task",
        how_to_read="One dot per task. Box: quartiles, line: median, whiskers: 5 to 95 "
        "%." + (" A gray line connects one task's dots." if paired else ""),
        alt=f"{kind.label} per task: "
        + "; ".join(
            f"{label} median {_format_median(flat[label])}" for label in labels[::-1]
        ),
        height=96 + 62 * len(labels),
    )
    styles = assign_styles(roles)
    if paired and labels:
        made.add_trace(_joining_lines([flat[label] for label in labels], log))
    for place, label in enumerate(labels):
        _add_strip(made, flat[label], place, styles[label], log)
    ticks = [_tick_label(label, flat[label], gap) for label in labels]
    made.update_yaxes(tickvals=list(range(len(labels))), ticktext=ticks)
    made.update_yaxes(names_axis() | {"range": [-0.6, len(labels) - 0.4]})
    made.update_xaxes(log_axis(*flat.values(), most=6) if log else {"tickformat": "~g"})
    made.update_xaxes(title_text=axis_title(metric_name))
    if kind.share:
        show_percent(made, "x")
    made.update_layout(showlegend=False, hovermode="closest", margin={"t": 24})
    hidden = sum(mask_nonpositive(v)[1] for v in flat.values()) if log else 0
    cut = LINES_CUT if log and made.layout.xaxis.range else ""
    left_out = f"log axis leaves out {hidden} values ≤ 0" if hidden else ""
    add_footnote(made, left_out, cut)
    return made


def _format_median(values: Floats) -> str:
    kept = values[np.isfinite(values)]
    return format_number(float(np.median(kept))) if len(kept) else "–"


def _tick_label(label: str, values: Floats, gap: str) -> str:
    lost = int((~np.isfinite(values)).sum())
    note = f"<br><span style='font-size:10px'>× {lost} {gap}</span>" if lost else ""
    return f"{learner_name(label)}{note}"


def _add_strip(
    figure: go.Figure, values: Floats, row: int, style: Style, log: bool
) -> None:
    kept = np.sort(values[np.isfinite(values) & ((values > 0) | (not log))])
    if not len(kept):
        return
    fences = np.quantile(kept, [0.05, 0.25, 0.5, 0.75, 0.95])
    box = dict(
        zip(
            ("lowerfence", "q1", "median", "q3", "upperfence"),
            fences[:, None],
            strict=True,
        )
    )
    figure.add_trace(
        go.Box(
            **{
                **box,
                "y": [row],
                "orientation": "h",
                "width": 0.5,
                "hoveron": "boxes",
            },
            line={"color": style.color, "width": 1.6},
            name=style.name,
            fillcolor=style.fill(0.12),
            showlegend=False,
            whiskerwidth=0.4,
            uid=f"{style.label}:box",
        )
    )
    some = kept[np.linspace(0, len(kept) - 1, min(len(kept), STRIP_POINTS)).astype(int)]
    drift = (np.arange(1, len(some) + 1) * _GOLDEN) % 1.0 - 0.5
    figure.add_trace(
        go.Scatter(
            x=some,
            y=row + 0.36 * drift,
            mode="markers",
            marker=_dot_style(style),
            name=style.name,
            showlegend=False,
            hovertemplate="%{x:.3g}",
            uid=f"{style.label}:strip",
        )
    )


def _dot_style(style: Style) -> dict[str, Any]:
    return {"color": style.color, "size": 5, "opacity": 0.5, "symbol": style.symbol}


def _joining_lines(rows: Sequence[Floats], log: bool) -> go.Scatter:
    count = min(min(len(row) for row in rows), 2000 // (len(rows) + 1))
    x = np.full((count, len(rows) + 1), np.nan)
    y = np.full((count, len(rows) + 1), np.nan)
    for place, row in enumerate(rows):
        x[:, place] = mask_nonpositive(row[:count])[0] if log else row[:count]
        y[:, place] = place
    return go.Scatter(
        x=x.ravel(),
        y=y.ravel(),
        mode="lines",
        hoverinfo="skip",
        line={"color": GREY, "width": 0.8},
        opacity=0.35,
        showlegend=False,
        uid="threads",
    )


def profile_figure(
    bands: Mapping[str, Band], levels: Floats, metric_name: str, roles: Roles
) -> go.Figure:
    """Draw the share of tasks at or below each level.

    Args:
        bands: Share with its interval by label; shape (level,).
        levels: The thresholds, in the metric's unit.
        metric_name: A name of `metrics.METRICS`.
        roles: Role by label, in the spec's order.
    """
    kind = metric(metric_name)
    side = "lower and further right" if kind.direction > 0 else "higher, further left"
    labels = [label for label in roles if label in bands]
    made = make_figure(
        title=f"Performance profile: {kind.label.lower()}",
        how_to_read=f"Share of tasks that end at or below each level; {side} is "
        "better. Curves that cross: neither learner is better throughout.",
        alt=f"Share of tasks by {kind.label.lower()} for {', '.join(labels)}",
    )
    styles, x = assign_styles(roles), np.asarray(levels, dtype=float)
    # Chosen learners are drawn last, so that they are on top.
    for label in sorted(labels, key=lambda name: roles[name] == "chosen"):
        _add_profile(made, bands[label], x, styles[label])
    log = log_axis(x, most=6)
    made.update_xaxes(log if kind.scale == "log" else {"tickformat": "~g"})
    made.update_xaxes(title_text=axis_title(metric_name))
    if kind.share:
        show_percent(made, "x")
    made.update_yaxes(range=[-0.02, 1.03], tickformat=".0%")
    add_y_caption(made, "Share of tasks")
    add_footnote(made, describe_band([np.max(bands[label].n) for label in labels] or 1))
    add_legend_below(made, [learner_name(label) for label in labels])
    return made


def _add_profile(figure: go.Figure, share: Band, x: Floats, style: Style) -> None:
    area = band_trace(x, np.asarray(share.low), np.asarray(share.high), style)
    if area is not None:
        figure.add_trace(area)
    figure.add_trace(
        go.Scatter(
            x=x,
            y=np.asarray(share.mean),
            mode="lines",
            line=style.line,
            name=style.name,
            legendgroup=style.label,
            uid=f"{style.label}:profile",
            hovertemplate="%{y:.0%}",
            legendrank=style.rank,
        )
    )
