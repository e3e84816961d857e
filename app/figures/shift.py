"""Results under shift: a metric by severity, and by train and test family."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.alive_strip import add_alive_strip, name_capped
from app.figures.axis_range import metric_axis
from app.figures.curves import order_curves
from app.figures.figure_parts import (
    add_footnote,
    add_legend_below,
    add_y_caption,
    band_trace,
    describe_band,
    make_figure,
    mask_nonpositive,
    names_axis,
    style_figure,
)
from app.figures.figure_types import Floats, Roles
from app.figures.percent_axis import show_percent
from app.figures.theme import (
    INTERVAL_NAME,
    Style,
    assign_styles,
    axis_title,
    capitalize_name,
    format_number,
    learner_name,
)
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import metric
from engine.stats.curves import Curve
from engine.stats.shift_and_transfer import FamilyTransfer


def severity_figure(
    panels: Mapping[str, Iterable[Curve]],
    metric_name: str,
    roles: Roles,
    units: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw a metric against the severity of each shift, one panel below another.

    Args:
        panels: Curves by shift, x being severities; 0 is the clean family.
        metric_name: A name of `metrics.METRICS`.
        roles: Role by label, in the spec's order.
        units: What a shift's severity is measured in.
    """
    kind, rows = metric(metric_name), max(len(panels), 1)
    panels = {shift: order_curves(curves, roles) for shift, curves in panels.items()}
    made = make_subplots(rows, 1, vertical_spacing=76 / (250 * rows - 76))
    better = {-1: "lower is better", 1: "higher is better", 0: ""}[kind.direction]
    style_figure(
        made,
        title=f"{kind.label} by severity",
        how_to_read="At 0: as trained. A flat line: unaffected by the shift. Band: "
        f"{INTERVAL_NAME}; {better}.",
        alt=f"{kind.label} by severity of {', '.join(panels) or 'no shift'}",
        height=70 + 250 * rows,
    )
    styles, seen, counts, cuts = assign_styles(roles), list[str](), [1], set[str]()
    for row, (shift, curves) in enumerate(panels.items(), 1):
        for curve in curves:
            counts.append(int(np.max(curve.n)))
            _add_severity_curve(
                made, curve, styles[curve.learner], (row, kind.scale, seen)
            )
        title = _axis_name(shift, (units or {}).get(shift, ""))
        made.update_xaxes(title_text=title, row=row, col=1)
        add_y_caption(made, name_capped(axis_title(metric_name), curves), row=row)
        axis = metric_axis(curves, kind, log=kind.scale == "log", most=6)
        made.update_yaxes(axis.settings, row=row, col=1)
        cuts.add(axis.note)
    if kind.share:
        show_percent(made)
    add_footnote(made, describe_band(max(counts)), *sorted(cuts))
    add_legend_below(made, [learner_name(label) for label in seen])
    for row, curves in enumerate(panels.values(), 1):
        add_alive_strip(made, metric_name, curves, styles, row)
    return made


def _axis_name(shift: str, unit: str) -> str:
    """Return the x axis title; a shift in its own unit, such as shots, is a count."""
    word = name_in_words(shift)
    if word == unit:
        return word.capitalize()
    return f"Severity of {word}" + (f" ({unit})" if unit else "")


def _add_severity_curve(
    figure: go.Figure, curve: Curve, style: Style, where: tuple[int, str, list[str]]
) -> None:
    row, scale, seen = where
    x, mean, low, high = (
        np.asarray(v, dtype=float) for v in (curve.x, curve.mean, curve.low, curve.high)
    )
    if scale == "log":
        mean, low = mask_nonpositive(mean)[0], mask_nonpositive(low)[0]
    area = band_trace(x, low, high, style)
    if area is not None:
        area.uid += f":{row}"
        figure.add_trace(area, row=row, col=1)
    figure.add_trace(
        go.Scatter(
            x=x,
            y=mean,
            mode="lines+markers",
            line=style.line,
            marker={"symbol": style.symbol, "size": 7},
            name=style.name,
            legendgroup=style.label,
            uid=f"{style.label}:severity:{row}",
            customdata=np.stack([low, high], axis=1),
            hovertemplate="%{y:.3g} [%{customdata[0]:.3g}, %{customdata[1]:.3g}]",
            legendrank=style.rank,
            showlegend=style.label not in seen,
        ),
        row=row,
        col=1,
    )
    if style.label not in seen:
        seen.append(style.label)


# Transparent in the middle, so that it fits light and dark pages; never so strong
# that the page's text would be illegible on it.
DIVERGING = [
    [0.0, "rgba(47,124,246,0.6)"],
    [0.5, "rgba(128,137,149,0.08)"],
    [1.0, "rgba(224,112,20,0.6)"],
]
SEQUENTIAL = [[0.0, "rgba(47,124,246,0.06)"], [1.0, "rgba(47,124,246,0.6)"]]


def family_matrix_figure(
    matrix: FamilyTransfer, metric_name: str, *, against: str = ""
) -> go.Figure:
    """Draw the results of learners trained on one family and tested on another.

    Args:
        matrix: Numbers by train and test family.
        metric_name: A name of `metrics.METRICS`.
        against: Label of the baseline that the numbers are differences from; the
            scale is then centered at 0.
    """
    kind = metric(metric_name)
    if kind.share:
        matrix = _in_percent(matrix)
    mean = np.asarray(matrix.mean, dtype=float)
    what = f"Difference from {learner_name(against)}, " if against else ""
    tests = [capitalize_name(name).replace(" ", "<br>") for name in matrix.test]
    made = make_figure(
        title=f"{what}{kind.label}: trained on row, tested on column",
        how_to_read="Row: trained on. Column: tested on. Diagonal: in distribution. "
        f"±: half of the {INTERVAL_NAME}."
        + (" Blue: better than the baseline." if against and kind.direction else ""),
        alt=_matrix_alt(matrix, kind.label),
        height=110 + 58 * len(matrix.train),
    )
    made.add_trace(
        go.Heatmap(
            z=mean,
            x=tests,
            y=[capitalize_name(name) for name in matrix.train],
            xgap=3,
            ygap=3,
            showscale=False,
            hoverinfo="skip",
            **_color_scale(mean, kind.direction, bool(against)),
        )
    )
    made.add_trace(
        go.Scatter(
            x=[test for _ in matrix.train for test in tests],
            y=[capitalize_name(train) for train in matrix.train for _ in tests],
            text=_cell_texts(matrix),
            mode="text",
            hoverinfo="skip",
            textfont={"size": 12},
            showlegend=False,
        )
    )
    made.update_yaxes(names_axis() | {"autorange": "reversed"})
    made.update_xaxes(names_axis() | {"side": "top", "tickangle": 0})
    made.update_layout(hovermode="closest", margin={"t": 40, "b": 34})
    made.add_annotation(
        text=f"{what}{axis_title(metric_name)}{' (%)' if kind.share else ''}",
        showarrow=False,
        x=0,
        xref="paper",
        yref="paper",
        y=0,
        yanchor="top",
        yshift=-8,
        xanchor="left",
    )
    return made


def _in_percent(matrix: FamilyTransfer) -> FamilyTransfer:
    shares = (matrix.mean, matrix.low, matrix.high)
    mean, low, high = (100.0 * np.asarray(part, dtype=float) for part in shares)
    return matrix._replace(mean=mean, low=low, high=high)


def _color_scale(mean: Floats, direction: int, centered: bool) -> dict[str, Any]:
    if not centered:
        return {"colorscale": SEQUENTIAL}
    most = float(np.nanmax(np.abs(mean))) if np.isfinite(mean).any() else 1.0
    scale = {"colorscale": DIVERGING, "zmin": -most, "zmax": most}
    return scale | {"reversescale": direction > 0}


def _cell_texts(matrix: FamilyTransfer) -> list[str]:
    half = (np.asarray(matrix.high) - np.asarray(matrix.low)) / 2
    means = np.asarray(matrix.mean, dtype=float)
    return [
        _format_cell(*pair) for pair in zip(means.ravel(), half.ravel(), strict=True)
    ]


def _format_cell(mean: float, half: float) -> str:
    if not np.isfinite(mean):
        return "–"
    return f"<b>{format_number(mean)}</b>" + (
        f"<br>± {format_number(half)}" if np.isfinite(half) else ""
    )


def _matrix_alt(matrix: FamilyTransfer, label: str) -> str:
    rows = [
        f"trained on {train}: "
        + ", ".join(
            f"{t} {format_number(v)}" for t, v in zip(matrix.test, row, strict=True)
        )
        for train, row in zip(matrix.train, np.asarray(matrix.mean), strict=True)
    ]
    return f"{label}; " + "; ".join(rows)
