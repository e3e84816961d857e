"""How was it learned? Meta-training, tuning, and what the controller plays."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.canvas import (
    band,
    dress,
    figure,
    footnote,
    legend_below,
    log_axis,
    positive,
    thin,
    y_caption,
)
from app.figures.curves import ordered
from app.figures.figure_types import Floats, Roles, Tuning
from app.figures.theme import (
    GREY,
    LEVEL,
    Style,
    axis_title,
    learner_name,
    number,
    styles,
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
    """Draw what moved while the learner learned, one small panel a metric.

    Args:
        panels: Curves by metric name, x being meta-steps.
        roles: Role by label, in the spec's order.
        best: Meta-step of the kept checkpoint; marked in every panel.
        logs: Metrics on a log axis, beside those that always are.
    """
    panels = {name: ordered(curves, roles) for name, curves in panels.items()}
    rows = max(len(panels), 1)
    made = make_subplots(rows, 1, shared_xaxes=True, vertical_spacing=0.34 / rows)
    dress(
        made,
        title="Meta-training",
        read="Validation decides which checkpoint is kept (vertical line); the other "
        f"panels say how the search went. Band: {LEVEL} over replicates.",
        alt="Meta-training curves: " + ", ".join(metric(m).label for m in panels),
        height=60 + 118 * rows,
    )
    looks, seen = styles(roles), list[str]()
    for row, (name, curves) in enumerate(panels.items(), 1):
        log = metric(name).scale == "log" or name in logs
        for curve in curves:
            _panel_line(made, curve, looks[curve.learner], (row, log, seen))
        ends = [end for c in curves for end in (c.low, c.mean, c.high)]
        ticks = log_axis(*ends, most=4) if log else {"nticks": 4}
        made.update_yaxes(ticks, row=row, col=1)
        y_caption(made, axis_title(name), row=row)
    made.update_xaxes(title_text="Meta-step", row=rows, col=1)
    _mark_best(made, best)
    legend_below(made, [learner_name(label) for label in seen])
    return made


def _panel_line(
    made: go.Figure, curve: Curve, look: Style, where: tuple[int, bool, list[str]]
) -> None:
    row, log, seen = where
    x, mean = np.asarray(curve.x, dtype=float), np.asarray(curve.mean, dtype=float)
    low, high = np.asarray(curve.low, dtype=float), np.asarray(curve.high, dtype=float)
    if log:
        mean, low = positive(mean)[0], positive(low)[0]
    area = band(x, low, high, look)
    if area is not None:
        area.uid += f":{row}"
        made.add_trace(area, row=row, col=1)
    kept = thin(x, mean)
    made.add_trace(
        go.Scatter(
            x=x[kept],
            y=mean[kept],
            mode="lines" if np.isfinite(mean).sum() > 1 else "lines+markers",
            **{"line": {**look.line, "width": 2}},
            **{"name": look.name, "legendgroup": look.label},
            **{"uid": f"{look.label}:mean:{row}", "hovertemplate": "%{y:.3g}"},
            legendrank=look.rank,
            showlegend=look.label not in seen,
        ),
        row=row,
        col=1,
    )
    if look.label not in seen:
        seen.append(look.label)


def _mark_best(made: go.Figure, best: float | None) -> None:
    if best is None:
        return
    line = {"color": GREY, "dash": "dot", "width": 1.4}
    made.add_shape(
        **{"type": "line", "x0": best, "x1": best, "xref": "x", "line": line},
        **{"y0": 0, "y1": 1, "yref": "paper", "layer": "below"},
    )
    footnote(made, f"kept: meta-step {best:g}")


def tuning_figure(
    tunings: Mapping[str, Tuning], roles: Roles, metric_name: str = "tuning"
) -> go.Figure:
    """Draw the score of every learning rate that was tried.

    Args:
        tunings: By label.
        roles: Role by label, in the spec's order.
        metric_name: What the score is.
    """
    labels = [label for label in roles if label in tunings]
    chosen = ", ".join(f"{a} at {number(tunings[a].chosen)}" for a in labels)
    made = figure(
        title="Tuning score by learning rate",
        read="Lower is better. ◆ is the chosen rate; right of it the cliff, where "
        "steps overshoot; × where tasks diverged.",
        alt=f"Tuning curves; chosen: {chosen or 'none'}",
    )
    looks = styles(roles)
    top = _ceiling([tunings[label] for label in labels])
    for label in labels:
        _rates(made, tunings[label], looks[label], top)
    rates = [tunings[label].rates for label in labels]
    made.update_xaxes(log_axis(*rates, most=6) | {"title_text": "Learning rate"})
    y_caption(made, axis_title(metric_name))
    footnote(made, f"{LEVEL} over tuning tasks")
    legend_below(made, [learner_name(label) for label in labels])
    return made


def _ceiling(tunings: list[Tuning]) -> float:
    tops = [np.nanmax(t.mean) for t in tunings if np.isfinite(t.mean).any()]
    return float(max(tops, default=0.0))


def _rates(made: go.Figure, tuning: Tuning, look: Style, top: float) -> None:
    rates, mean = np.asarray(tuning.rates), np.asarray(tuning.mean, dtype=float)
    area = band(rates, np.asarray(tuning.low), np.asarray(tuning.high), look)
    if area is not None:
        made.add_trace(area)
    same = {"legendgroup": look.label, "hovertemplate": "%{y:.3g}"}
    made.add_trace(
        go.Scatter(
            **{"x": rates, "y": mean, "mode": "lines+markers", "line": look.line},
            **{"marker": {"size": 5}, "name": look.name, **same},
            **{"uid": f"{look.label}:rates", "legendrank": look.rank},
        )
    )
    quiet = {"mode": "markers", "showlegend": False, "hoverinfo": "skip"}
    quiet |= {"legendgroup": look.label}
    at = int(np.argmin(np.abs(np.log(rates / tuning.chosen))))
    ring = {"color": "rgba(255,255,255,0.9)", "width": 1.5}
    diamond = {"symbol": "diamond", "size": 13, "color": look.color, "line": ring}
    made.add_trace(go.Scatter(x=rates[[at]], y=mean[[at]], marker=diamond, **quiet))
    gone = ~np.isfinite(mean)
    if gone.any():
        cross = {"symbol": "x", "size": 9, "color": look.color}
        y = np.full(int(gone.sum()), top)
        made.add_trace(go.Scatter(x=rates[gone], y=y, marker=cross, **quiet))


def scale_histogram(scales: Mapping[str, Floats], roles: Roles) -> go.Figure:
    """Draw how often each learning-rate scale was played.

    Args:
        scales: Every scale that a learner emitted, any shape, by label.
        roles: Role by label, in the spec's order.
    """
    found = {label: _logs(scales[label]) for label in roles if label in scales}
    logs = {label: values for label, values in found.items() if len(values)}
    everything = np.concatenate([*logs.values(), np.zeros(1)])
    edges = np.linspace(everything.min() - 0.05, everything.max() + 0.05, 61)
    made = figure(
        title="Learning-rate scales played",
        read="A wide heap means that the scale reacts to the state; one spike at the "
        "dashed line means that it does nothing.",
        alt="Histogram of learning-rate scales: "
        + "; ".join(f"{a} median {10 ** np.median(v):.3g}" for a, v in logs.items()),
        height=260,
    )
    looks = styles(roles)
    for label, values in logs.items():
        share = np.histogram(values, edges)[0] / len(values)
        made.add_trace(_heap(edges, share, looks[label]))
    line = {"color": GREY, "dash": "dash", "width": 1.2}
    made.add_shape(
        **{"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "line": line},
        **{"yref": "y domain", "layer": "below"},
    )
    made.update_xaxes(
        log_axis(10**edges, most=6) | {"title_text": axis_title("lr_scale")}
    )
    made.update_yaxes(tickformat=".0%", rangemode="tozero")
    y_caption(made, "Share of steps")
    legend_below(made, [learner_name(label) for label in logs])
    return made


def _logs(values: Floats) -> Floats:
    flat = positive(np.asarray(values).ravel())[0]
    return np.log10(flat[np.isfinite(flat)])


def _heap(edges: Floats, share: Floats, look: Style) -> go.Scatter:
    return go.Scatter(
        x=10**edges,
        y=np.append(share, 0.0),
        **{"mode": "lines", "line": {**look.line, "shape": "hv"}, "fill": "tozeroy"},
        **{"fillcolor": look.fill(0.2), "name": look.name},
        **{"uid": f"{look.label}:heap", "hovertemplate": "%{y:.1%}"},
        legendrank=look.rank,
    )
