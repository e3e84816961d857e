"""Few-shot results by inner step, before and after adaptation, and by shots."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.curves import curves_figure
from app.figures.figure_parts import (
    add_footnote,
    describe_band,
    log_axis,
    make_figure,
    names_axis,
)
from app.figures.figure_types import CurveOptions, Roles
from app.figures.percent_axis import show_percent
from app.figures.shift import severity_figure
from app.figures.theme import (
    GREY,
    INTERVAL_NAME,
    Style,
    assign_styles,
    axis_title,
    format_number,
    learner_name,
)
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import metric
from engine.stats.curves import Curve
from engine.stats.inference.intervals import Interval


class AnswerPoint(NamedTuple):
    """The point of a learner's curve at which it is evaluated."""

    x: float
    y: float


class LostTasks(NamedTuple):
    """How many of a learner's tasks diverged, and how many there are."""

    count: int
    members: int

    @property
    def is_all(self) -> bool:
        """Whether all of them diverged."""
        return self.count == self.members


def answers_figure(
    curves: Iterable[Curve],
    marks: Mapping[str, Sequence[AnswerPoint]],
    metric_name: str,
    roles: Roles,
    view: CurveOptions,
) -> go.Figure:
    """Draw the results after each inner step, and the steps that are evaluated.

    Args:
        curves: One for each learner; one without inner steps is a level line.
        marks: By label, for learners with inner steps; several where replicates tuned
            to different numbers of steps.
        metric_name: A name of `metrics.METRICS`.
        roles: Role by label, in the spec's order.
        view: Axes.
    """
    shown = list(curves)
    made = curves_figure(shown, metric_name, roles, view)
    styles = assign_styles(roles)
    for label, points in marks.items():
        if label in styles:
            made.add_trace(_answer_trace(points, styles[label]))
    read = made.layout.meta["how_to_read"]
    legend = " ◆: the step at which a learner is evaluated; level line: no inner steps."
    made.update_layout(meta={**made.layout.meta, "how_to_read": read + legend})
    made.update_xaxes(rangemode="tozero", tickformat="d")
    if metric(metric_name).direction < 0:
        _cap_y_axis(
            made, shown, [point.y for points in marks.values() for point in points]
        )
    return made


def _cap_y_axis(
    figure: go.Figure, curves: Iterable[Curve], marks: Iterable[float]
) -> None:
    """Cut curves that diverge after the evaluated step, with a remark."""
    means = [np.asarray(curve.mean, dtype=float) for curve in curves]
    starts = [float(mean[0]) for mean in means if len(mean)]
    known = [y for y in (*starts, *marks) if np.isfinite(y)]
    every = np.concatenate([np.zeros(0), *means])
    every = every[np.isfinite(every)]
    cap = 10 * max(known, default=np.inf)
    if not len(every) or every.max() <= cap:
        return
    low, log = (
        every[every > 0].min(initial=cap) / 1.3,
        figure.layout.yaxis.type == "log",
    )
    # Not all y axes: the strip of tasks still alive has its own.
    axis = figure.layout.yaxis
    axis.update(log_axis([low, cap]) if log else {})
    axis.update(range=[np.log10(low), np.log10(cap)] if log else [0, cap])
    gone = sum(bool(np.nanmax(mean, initial=0.0) > cap) for mean in means)
    figure.add_annotation(
        text=f"↑ {gone} leave{'s' * (gone == 1)} the range after that step",
        x=0.5,
        y=1,
        xref="x domain",
        yref="y domain",
        yanchor="top",
        showarrow=False,
        font={"size": 11},
        opacity=0.85,
    )


def _answer_trace(points: Sequence[AnswerPoint], style: Style) -> go.Scatter:
    ring = {"color": "rgba(255,255,255,0.9)", "width": 1.5}
    return go.Scatter(
        x=np.array([point.x for point in points]),
        y=np.array([point.y for point in points]),
        mode="markers",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=style.label,
        uid=f"{style.label}:answer",
        name=f"{style.name}, evaluated",
        marker={"symbol": "diamond", "size": 11, "color": style.color, "line": ring},
    )


def gain_figure(
    before: Mapping[str, Interval],
    after: Mapping[str, Interval],
    metric_name: str,
    roles: Roles,
    lost: Mapping[str, LostTasks] | None = None,
) -> go.Figure:
    """Draw each learner's result before the first inner step and at evaluation.

    Args:
        before: By label, of learners that take inner steps.
        after: By label, of all learners.
        metric_name: The evaluated metric, a name of `metrics.METRICS`.
        roles: Role by label, in the spec's order.
        lost: Diverged tasks by label. Of errors they count as a cap: the mean is then a
            lower bound, and where all diverged nothing is drawn.
    """
    lost = lost or {}
    kind, styles = metric(metric_name), assign_styles(roles)
    # Plotly stacks rows from the bottom up; the first learner goes on top.
    labels = [label for label in roles if label in after][::-1]
    made = make_figure(
        title="Before and after adaptation",
        how_to_read="Ring: before the first inner step. Marker and bar: after, "
        f"{INTERVAL_NAME}. No ring: no inner steps.",
        alt=f"{kind.label}: "
        + "; ".join(_describe_gain(label, before, after) for label in labels[::-1]),
        height=84 + 40 * len(labels),
    )
    for place, label in enumerate(labels):
        blew_up = bool(kind.worst) and label in lost and lost[label].is_all
        if label in before:
            made.add_trace(_start_trace(before[label], place, styles[label]))
        if label in before and not blew_up:
            _add_gain_line(made, before[label], after[label], place)
        if not blew_up:
            capped = bool(kind.worst) and label in lost
            _add_answer(made, after[label], place, styles[label], capped=capped)
    made.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[_row_title(label, lost.get(label)) for label in labels],
    )
    made.update_yaxes(names_axis() | {"range": [-0.6, len(labels) - 0.4]})
    _set_x_axis(made, [*before.values(), *after.values()], metric_name)
    made.update_layout(showlegend=False, hovermode="closest", margin={"t": 24})
    add_footnote(made, describe_band([level.n for level in after.values()] or 1))
    return made


def _describe_gain(
    label: str, before: Mapping[str, Interval], after: Mapping[str, Interval]
) -> str:
    start = f"{format_number(before[label].mean)} to " if label in before else ""
    return f"{label} {start}{format_number(after[label].mean)}"


def _row_title(label: str, lost: LostTasks | None) -> str:
    """Return a learner's name, with the number of tasks that diverged."""
    if lost is None:
        return learner_name(label)
    told = "all" if lost.is_all else f"{lost.count:,} of {lost.members:,}"
    small = f"<br><span style='font-size:10px'>× {told} diverged</span>"
    return f"{learner_name(label)}{small}"


def _add_gain_line(figure: go.Figure, start: Interval, end: Interval, row: int) -> None:
    figure.add_trace(
        go.Scatter(
            x=[start.mean, end.mean],
            y=[row, row],
            mode="lines",
            line={"color": GREY, "width": 1.4, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _start_trace(start: Interval, row: int, style: Style) -> go.Scatter:
    ring = {"symbol": "circle-open", "size": 11, "color": style.color}
    return go.Scatter(
        x=[start.mean],
        y=[row],
        mode="markers",
        showlegend=False,
        marker={**ring, "line": {"width": 2}},
        name=style.name,
        hovertemplate="before: %{x:.3g}<extra></extra>",
    )


def _add_answer(
    figure: go.Figure, end: Interval, row: int, style: Style, *, capped: bool
) -> None:
    if np.isfinite(end.low) and np.isfinite(end.high):
        figure.add_trace(
            go.Scatter(
                x=[end.low, end.high],
                y=[row, row],
                mode="lines",
                line={"color": style.color, "width": 3},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    hover = f"{'at least ' if capped else ''}%{{x:.3g}} "
    hover += "[%{customdata[0]:.3g}, %{customdata[1]:.3g}]"
    figure.add_trace(
        go.Scatter(
            x=[end.mean],
            y=[row],
            customdata=[[end.low, end.high]],
            mode="markers",
            showlegend=False,
            marker={"symbol": style.symbol, "size": 11, "color": style.color},
            hovertemplate=f"{hover}<extra></extra>",
        )
    )


def _set_x_axis(
    figure: go.Figure, levels: Iterable[Interval], metric_name: str
) -> None:
    ends = [end for level in levels for end in level[:3]]
    log = metric(metric_name).scale == "log"
    figure.update_xaxes(
        log_axis(np.array(ends), most=6) if log else {"tickformat": "~g"}
    )
    figure.update_xaxes(title_text=axis_title(metric_name))
    if metric(metric_name).share:
        show_percent(figure, "x")


class CountAxis(NamedTuple):
    """What is counted along the x axis, such as the shots."""

    shift: str
    caption: str


def count_figure(
    curves: Iterable[Curve], metric_name: str, roles: Roles, count: CountAxis
) -> go.Figure:
    """Draw a metric against a number that the tests change: shots, or ways.

    Args:
        curves: One for each learner; the family's own number is among the x.
        metric_name: A name of `metrics.METRICS`.
        roles: Role by label, in the spec's order.
        count: What is counted.
    """
    made = severity_figure({count.shift: curves}, metric_name, roles)
    noun = name_in_words(count.shift)
    read = (
        f"All learners were trained with the family's own {noun}, and tested with "
        f"others, too. Band: {INTERVAL_NAME}."
    )
    words = {"title": f"{metric(metric_name).label} by {noun}", "how_to_read": read}
    made.update_layout(meta={**made.layout.meta, **words})
    made.update_xaxes(title_text=count.caption)
    return made
