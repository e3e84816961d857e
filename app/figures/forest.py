"""Forest plot: each difference from a baseline with its interval and verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import make_figure
from app.figures.figure_types import Roles
from app.figures.theme import (
    GREY,
    INTERVAL_NAME,
    capitalize_name,
    format_number,
    learner_name,
)
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import Metric, metric

_CALLS = {
    "better": ("#3f9552", "triangle-up", "▲", "better"),
    "worse": ("#ca3401", "triangle-down", "▼", "worse"),
    "equal": (GREY, "square", "■", "equal"),
    "can't tell yet": (GREY, "circle", "●", "can't tell yet"),
    # as summaries of 0.3.0 and earlier hold them
    "no difference": (GREY, "circle", "●", "can't tell yet"),
    "description": (GREY, "circle-open", "○", "can't tell yet"),
}


ONE_TRAINING = (
    " One training: the interval is over its episodes, and another training may differ."
)


def forest_figure(claims: Sequence[Mapping[str, Any]], roles: Roles) -> go.Figure:
    """Draw every claim: a difference with its interval and verdict.

    Args:
        claims: The summary's claims, all of one metric and one chosen learner.
        roles: Role by label; claims against unknown labels are left out.
    """
    known = _sort_by_condition([c for c in claims if c["against"] in roles])
    kind = metric(known[0]["metric"]) if known else metric("steps_to_threshold")
    who = learner_name(known[0]["learner"]) if known else "the learner"
    if kind.share:
        known = [_to_points(claim) for claim in known]
    lines = _with_headings(known)
    made = make_figure(
        title=f"{who} against each baseline: {kind.label.lower()}",
        how_to_read=f"Mark: difference, paired over tasks; bar: {INTERVAL_NAME}. "
        "A bar that crosses the line: no significant difference. The word corrects for "
        "multiple comparisons: a bar beside the line may still be not significant."
        f"{ONE_TRAINING if any(_is_single_training(claim) for claim in known) else ''}",
        alt="; ".join(_describe_claim(claim) for claim in known) or "no claims",
        height=70 + 46 * len(known) + 26 * (len(lines) - len(known)),
    )
    places = _row_heights(lines)
    for line, y in zip(lines, places, strict=True):
        if isinstance(line, str):
            _add_heading(made, line, y)
        else:
            _add_claim(made, line, y)
    _set_x_axis(made, known, kind)
    low = min(places, default=0.0) - 0.45
    made.update_yaxes(visible=False, range=[low, max(places, default=0.0) + 0.75])
    made.update_layout(showlegend=False, hovermode="closest", margin={"t": 6, "l": 12})
    return made


def _to_points(claim: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a claim on shares in percentage points."""
    ends = ("difference", "low", "high")
    return {**claim, **{name: 100 * _to_float(claim, name) for name in ends}}


def _is_single_training(claim: Mapping[str, Any]) -> bool:
    return claim.get("over") == "episodes"


def _sort_by_condition(claims: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    first: dict[str, int] = {}
    for claim in claims:
        first.setdefault(describe_condition(claim["condition"]), len(first))
    return sorted(claims, key=lambda c: first[describe_condition(c["condition"])])


def _to_float(claim: Mapping[str, Any], name: str) -> float:
    return float("nan") if claim[name] is None else float(claim[name])


def _with_headings(claims: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return claims with a heading before each new condition."""
    lines: list[Any] = []
    last = None
    for claim in claims:
        heading = describe_condition(claim["condition"])
        if heading != last:
            lines.append(heading)
            last = heading
        lines.append(claim)
    return lines


def _row_heights(lines: Sequence[Any]) -> list[float]:
    at, places = 0.0, []
    for line in lines:
        at -= 0.62 if isinstance(line, str) else 1.0
        places.append(at)
    return places


def describe_condition(condition: Mapping[str, Any]) -> str:
    """Return a test condition in words.

    >>> describe_condition({"family": "", "shift": "stretch", "severity": 4.0})
    'stretch, severity 4'
    """
    family, shift = condition.get("family", ""), condition.get("shift", "")
    parts = [capitalize_name(family)] if family else []
    if shift:
        parts.append(
            f"{name_in_words(shift)}, severity {condition.get('severity', 0):g}"
        )
    return " · ".join(parts) or "In distribution: unseen tasks of the same family"


def _describe_claim(claim: Mapping[str, Any]) -> str:
    where = describe_condition(claim["condition"])
    span = " to ".join(format_number(_to_float(claim, end)) for end in ("low", "high"))
    word = claim["call"]
    return f"{where}, against {claim['against']}: {word}, {span}"


def _add_heading(figure: go.Figure, text: str, y: float) -> None:
    figure.add_annotation(
        text=f"<b>{text}</b>",
        x=0,
        xref="x domain",
        y=y + 0.1,
        xanchor="left",
        yanchor="middle",
        showarrow=False,
        font={"size": 12},
    )


def _add_claim(figure: go.Figure, claim: Mapping[str, Any], y: float) -> None:
    color, symbol, sign, word = _CALLS[claim["call"]]
    mid, low, high = (_to_float(claim, name) for name in ("difference", "low", "high"))
    interval = f"{format_number(mid)} [{format_number(low)}, {format_number(high)}]"
    word = f"<span style='color:{color}'>{sign}</span> {word}"
    figure.add_shape(
        type="line",
        x0=0,
        x1=0,
        y0=y - 0.3,
        y1=y + 0.2,
        line={"color": GREY, "width": 1.4},
        layer="below",
    )
    figure.add_trace(
        go.Scatter(
            x=[low, high],
            y=[y, y],
            mode="lines",
            showlegend=False,
            line={"color": color, "width": 3},
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[mid],
            y=[y],
            mode="markers",
            showlegend=False,
            marker={"color": color, "symbol": symbol, "size": 11},
            hovertemplate=f"{interval}<br>{_describe_sample(claim)}<extra></extra>",
        )
    )
    sides = (
        ("left", 0, f"vs {learner_name(claim['against'])}"),
        ("right", 1, f"{word}  <b>{interval.replace(' [', '</b> [')}"),
    )
    for anchor, x, text in sides:
        figure.add_annotation(
            text=text,
            x=x,
            xref="x domain",
            y=y + 0.42,
            xanchor=anchor,
            yanchor="middle",
            showarrow=False,
            font={"size": 12},
        )


def _describe_sample(claim: Mapping[str, Any]) -> str:
    if _is_single_training(claim):
        return f"one training, interval over {claim['n_tasks']} episodes"
    return f"{claim['n_replicates']} replicates × {claim['n_tasks']} tasks"


def _set_x_axis(
    figure: go.Figure, claims: Sequence[Mapping[str, Any]], kind: Metric
) -> None:
    """Set up the x axis, so that 0 and every interval are visible."""
    ends = [_to_float(c, end) for c in claims for end in ("low", "difference", "high")]
    ends = [end for end in ends if np.isfinite(end)] + [0.0]
    # All ends may be 0, as for two identical learners.
    pad = 0.06 * (max(ends) - min(ends) or 1.0)
    words = ("◀ better", "worse ▶") if kind.direction < 0 else ("◀ worse", "better ▶")
    sides = f"<br>{words[0]}  ·  {words[1]}" if kind.direction else ""
    unit = "points" if kind.share else kind.unit
    figure.update_xaxes(
        title_text=f"Difference in {kind.label.lower()} ({unit}){sides}",
        range=[min(ends) - pad, max(ends) + pad],
        tickformat="~g",
        nticks=7,
        showgrid=False,
        showline=True,
    )
