"""Figures of training: meta-training, tuning, and learning-rate scales."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.axis_range import metric_axis
from app.figures.curves import order_curves
from app.figures.figure_parts import (
    add_footnote,
    add_legend_below,
    add_y_caption,
    band_trace,
    log_axis,
    make_figure,
    mask_nonpositive,
    style_figure,
)
from app.figures.figure_types import Floats, Roles, TuningCurve
from app.figures.percent_axis import show_percent
from app.figures.point_limit import thin_indices
from app.figures.theme import (
    GREY,
    INTERVAL_NAME,
    Style,
    assign_styles,
    axis_title,
    format_with_range,
    learner_name,
)
from engine.contract.metrics import metric
from engine.stats.curves import Curve


def meta_training_figure(
    panels: Mapping[str, Iterable[Curve]],
    roles: Roles,
    best: float | None = None,
    *,
    logs: Collection[str] = (),
) -> go.Figure:
    """Draw metrics along meta-training, one small panel per metric.

    Args:
        panels: Curves by metric name, x being meta-steps.
        roles: Role by label, in the spec's order.
        best: Meta-step of the selected checkpoint; marked in every panel.
        logs: Metrics on a log axis, beside those that always are.
    """
    panels = {name: order_curves(curves, roles) for name, curves in panels.items()}
    rows = max(len(panels), 1)
    made = make_subplots(rows, 1, shared_xaxes=True, vertical_spacing=0.34 / rows)
    style_figure(
        made,
        title="Meta-training",
        how_to_read="Validation selects the checkpoint (vertical line); the other "
        f"panels show how meta-training went. Band: {INTERVAL_NAME} over replicates.",
        alt="Meta-training curves: " + ", ".join(metric(m).label for m in panels),
        height=60 + 118 * rows,
    )
    styles, seen, cuts = assign_styles(roles), list[str](), set[str]()
    for row, (name, curves) in enumerate(panels.items(), 1):
        log = metric(name).scale == "log" or name in logs
        for curve in curves:
            _add_panel_line(made, curve, styles[curve.learner], (row, log, seen))
        axis = metric_axis(curves, metric(name), log=log, most=4)
        few = {} if log else {"nticks": 4}
        made.update_yaxes(axis.settings | few, row=row, col=1)
        if metric(name).share:
            show_percent(made, row=row)
        cuts.add(axis.note)
        add_y_caption(made, axis_title(name), row=row)
    made.update_xaxes(title_text="Meta-step", row=rows, col=1)
    _mark_best(made, best)
    selected = "" if best is None else f"selected: meta-step {best:g}"
    add_footnote(made, selected, *sorted(cuts))
    _widen_single_step(made, panels)
    add_legend_below(made, [learner_name(label) for label in seen])
    return made


def _add_panel_line(
    figure: go.Figure, curve: Curve, style: Style, where: tuple[int, bool, list[str]]
) -> None:
    row, log, seen = where
    x, mean = np.asarray(curve.x, dtype=float), np.asarray(curve.mean, dtype=float)
    low, high = np.asarray(curve.low, dtype=float), np.asarray(curve.high, dtype=float)
    if log:
        mean, low = mask_nonpositive(mean)[0], mask_nonpositive(low)[0]
    area = band_trace(x, low, high, style)
    if area is not None:
        area.uid += f":{row}"
        figure.add_trace(area, row=row, col=1)
    kept = thin_indices(x, mean)
    figure.add_trace(
        go.Scatter(
            x=x[kept],
            y=mean[kept],
            mode="lines" if np.isfinite(mean).sum() > 1 else "lines+markers",
            line={**style.line, "width": 2},
            name=style.name,
            legendgroup=style.label,
            uid=f"{style.label}:mean:{row}",
            hovertemplate="%{y:.3g}",
            legendrank=style.rank,
            showlegend=style.label not in seen,
        ),
        row=row,
        col=1,
    )
    if style.label not in seen:
        seen.append(style.label)


def _mark_best(figure: go.Figure, best: float | None) -> None:
    if best is None:
        return
    line = {"color": GREY, "dash": "dot", "width": 1.4}
    figure.add_shape(
        type="line",
        x0=best,
        x1=best,
        xref="x",
        line=line,
        y0=0,
        y1=1,
        yref="paper",
        layer="below",
    )


def _widen_single_step(
    figure: go.Figure, panels: Mapping[str, Sequence[Curve]]
) -> None:
    """Show one meta-step as such: by itself an axis would reach to negative ones."""
    steps = {float(x) for curves in panels.values() for c in curves for x in c.x}
    if len(steps) == 1:
        step = steps.pop()
        figure.update_xaxes(range=[step - 0.5, step + 0.5], tickvals=[step])


def tuning_figure(
    tunings: Mapping[str, TuningCurve], roles: Roles, metric_name: str = "tuning"
) -> go.Figure:
    """Draw the tuning score of every learning rate.

    Args:
        tunings: By label.
        roles: Role by label, in the spec's order.
        metric_name: The score's metric.
    """
    labels = [label for label in roles if label in tunings]
    chosen = ", ".join(f"{a} at {_chosen_rate(tunings[a])}" for a in labels)
    made = make_figure(
        title="Tuning score by learning rate",
        how_to_read="Lower is better. ◆: the chosen rate; with a bar: each replicate's "
        "own, from lowest to highest, and their geometric mean. To its right, steps "
        "overshoot; ×: some task diverged.",
        alt=f"Tuning curves; chosen: {chosen or 'none'}",
    )
    styles = assign_styles(roles)
    top = _highest_mean([tunings[label] for label in labels])
    for label in labels:
        _add_rates(made, tunings[label], styles[label], top)
    rates = [tunings[label].rates for label in labels]
    made.update_xaxes(log_axis(*rates, most=6) | {"title_text": "Learning rate"})
    add_y_caption(made, axis_title(metric_name))
    units = dict.fromkeys(tunings[label].over for label in labels)
    add_footnote(made, f"{INTERVAL_NAME} over {' or '.join(units)}")
    add_legend_below(made, [learner_name(label) for label in labels])
    return made


def _chosen_rate(tuning: TuningCurve) -> str:
    return format_with_range(tuning.chosen, tuning.lowest, tuning.highest)


def _highest_mean(tunings: list[TuningCurve]) -> float:
    tops = [np.nanmax(t.mean) for t in tunings if np.isfinite(t.mean).any()]
    return float(max(tops, default=0.0))


def _add_rates(
    figure: go.Figure, tuning: TuningCurve, style: Style, top: float
) -> None:
    rates, mean = np.asarray(tuning.rates), np.asarray(tuning.mean, dtype=float)
    area = band_trace(rates, np.asarray(tuning.low), np.asarray(tuning.high), style)
    if area is not None:
        figure.add_trace(area)
    same = {"legendgroup": style.label, "hovertemplate": "%{y:.3g}"}
    figure.add_trace(
        go.Scatter(
            x=rates,
            y=mean,
            mode="lines+markers",
            line=style.line,
            **{"marker": {"size": 5}, "name": style.name, **same},
            uid=f"{style.label}:rates",
            legendrank=style.rank,
        )
    )
    quiet = {"mode": "markers", "showlegend": False, "hoverinfo": "skip"}
    quiet |= {"legendgroup": style.label}
    _add_chosen(figure, tuning, style.color, quiet)
    gone = ~np.isfinite(mean)
    if gone.any():
        cross = {"symbol": "x", "size": 9, "color": style.color}
        y = np.full(int(gone.sum()), top)
        figure.add_trace(go.Scatter(x=rates[gone], y=y, marker=cross, **quiet))


def _add_chosen(
    figure: go.Figure, tuning: TuningCurve, color: str, quiet: Mapping[str, Any]
) -> None:
    """Mark the chosen rate on the curve, with a bar over those of the replicates."""
    rates, mean = np.asarray(tuning.rates), np.asarray(tuning.mean, dtype=float)
    known = np.isfinite(mean)
    if not known.any():
        return
    # A mean of several rates lies between two that were tried.
    height = np.interp(np.log(tuning.chosen), np.log(rates[known]), mean[known])
    ring = {"color": "rgba(255,255,255,0.9)", "width": 1.5}
    diamond = {"symbol": "diamond", "size": 13, "color": color, "line": ring}
    bar = {
        "type": "data",
        "symmetric": False,
        "array": [tuning.highest - tuning.chosen],
        "arrayminus": [tuning.chosen - tuning.lowest],
        "color": color,
        "thickness": 2,
    }
    figure.add_trace(
        go.Scatter(
            x=[tuning.chosen],
            y=[float(height)],
            marker=diamond,
            error_x=bar,
            **quiet,
        )
    )


def scale_histogram(scales: Mapping[str, Floats], roles: Roles) -> go.Figure:
    """Draw the histogram of the learning-rate scales that were used.

    Args:
        scales: By label, every scale that a learner chose, any shape.
        roles: Role by label, in the spec's order.
    """
    found = {label: _log_scales(scales[label]) for label in roles if label in scales}
    logs = {label: values for label, values in found.items() if len(values)}
    everything = np.concatenate([*logs.values(), np.zeros(1)])
    edges = np.linspace(everything.min() - 0.05, everything.max() + 0.05, 61)
    made = make_figure(
        title="Learning-rate scales used",
        how_to_read="A wide distribution: the scale reacts to the state. A single "
        "spike at the dashed line: it has no effect.",
        alt="Histogram of learning-rate scales: "
        + "; ".join(f"{a} median {10 ** np.median(v):.3g}" for a, v in logs.items()),
        height=260,
    )
    styles = assign_styles(roles)
    for label, values in logs.items():
        share = np.histogram(values, edges)[0] / len(values)
        made.add_trace(_histogram_trace(edges, share, styles[label]))
    line = {"color": GREY, "dash": "dash", "width": 1.2}
    made.add_shape(
        type="line", x0=1, x1=1, y0=0, y1=1, line=line, yref="y domain", layer="below"
    )
    made.update_xaxes(
        log_axis(10**edges, most=6) | {"title_text": axis_title("lr_scale")}
    )
    made.update_yaxes(tickformat=".0%", rangemode="tozero")
    add_y_caption(made, "Share of steps")
    add_legend_below(made, [learner_name(label) for label in logs])
    return made


def _log_scales(values: Floats) -> Floats:
    flat = mask_nonpositive(np.asarray(values).ravel())[0]
    return np.log10(flat[np.isfinite(flat)])


def _histogram_trace(edges: Floats, share: Floats, style: Style) -> go.Scatter:
    return go.Scatter(
        x=10**edges,
        y=np.append(share, 0.0),
        mode="lines",
        line={**style.line, "shape": "hv"},
        fill="tozeroy",
        fillcolor=style.fill(0.2),
        name=style.name,
        uid=f"{style.label}:heap",
        hovertemplate="%{y:.1%}",
        legendrank=style.rank,
    )
