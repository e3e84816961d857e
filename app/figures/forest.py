"""Forest plot: each difference from another learner with its interval and call."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.call_style import CALL_STYLES
from app.figures.figure_parts import make_figure
from app.figures.figure_types import Roles
from app.figures.theme import (
    GREY,
    capitalize_name,
    format_number,
    learner_name,
    with_alpha,
)
from engine.contract.events import Condition
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import Metric, metric
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.claim_words import format_percent, format_sample
from engine.stats.verdicts.wording import capitalize_first

HOW_TO_READ = (
    "Mark: difference, paired over tasks; bar: its interval, at the level that was "
    "tested, in gray beside it. Better or worse: the bar leaves out 0. Equal: it lies "
    "within the gray margin, which does not matter. Else: can't tell yet."
)
MARGIN = with_alpha(GREY, 0.22)
PHONE = 325  # pixels for words side by side on a phone
LETTER, DIGIT = 5.5, 4.7  # pixels of a character, of names and of intervals
ROW, HEADING = 1.0, 0.62  # heights of a claim and of a heading
# What a second line adds, and how far up it lies: nearer its own bar than another's.
EXTRA, UP = 0.55, 0.36
PIXELS = 46  # of a claim
CAPPED = " A diverged task counts with the worst value."
ONE_TRAINING = (
    " One training: the interval is over its episodes, and another training may differ."
)


def forest_figure(claims: Sequence[Claim], roles: Roles) -> go.Figure:
    """Draw every claim: a difference with its interval and call.

    Args:
        claims: All of one metric and one chosen learner.
        roles: Role by label; claims against unknown labels are left out.
    """
    known = _sort_by_condition([c for c in claims if c.against in roles])
    kind = metric(known[0].metric) if known else metric("steps_to_threshold")
    who = learner_name(known[0].learner) if known else "the learner"
    if kind.share:
        known = [_to_points(claim) for claim in known]
    lines = _with_headings(known)
    second = sum(map(_needs_second_line, known))
    places = _row_heights(lines)
    rows = list(zip(lines, places, strict=True))
    claimed = [(line, y) for line, y in rows if isinstance(line, Claim)]
    made = make_figure(
        [trace for claim, y in claimed for trace in _traces(claim, y)],
        title=f"{who} against each other learner: {kind.label.lower()}",
        how_to_read=HOW_TO_READ
        + (ONE_TRAINING if any(_is_single_training(claim) for claim in known) else "")
        + (CAPPED if any(any(claim.diverged) for claim in known) else ""),
        alt="; ".join(_describe_claim(claim) for claim in known) or "no claims",
        height=70
        + PIXELS * len(known)
        + 26 * (len(lines) - len(known))
        + round(EXTRA * PIXELS) * second,
    )
    made.layout.meta = {**made.layout.meta, "once": HOW_TO_READ}
    # All at once: with each one that is added, Plotly checks all before it again.
    made.layout.shapes = [s for claim, y in claimed for s in _strips(claim, y)]
    made.layout.annotations = [
        note
        for line, y in rows
        for note in ([_heading(line, y)] if isinstance(line, str) else _notes(line, y))
    ]
    _set_x_axis(made, known, kind)
    low = min(places, default=0.0) - 0.45
    made.update_yaxes(visible=False, range=[low, max(places, default=0.0) + 0.75])
    made.update_layout(showlegend=False, hovermode="closest", margin={"t": 6, "l": 12})
    return made


def _to_points(claim: Claim) -> Claim:
    """Return a claim on shares in percentage points."""
    return replace(
        claim,
        difference=100 * claim.difference,
        low=100 * claim.low,
        high=100 * claim.high,
        margin=100 * claim.margin,
    )


def _is_single_training(claim: Claim) -> bool:
    return claim.over == "episodes"


def _sort_by_condition(claims: Sequence[Claim]) -> list[Claim]:
    first: dict[Condition, int] = {}
    for claim in claims:
        first.setdefault(claim.condition, len(first))
    return sorted(claims, key=lambda c: first[c.condition])


def _with_headings(claims: Sequence[Claim]) -> list[Claim | str]:
    """Return claims with a heading before each new condition."""
    lines: list[Claim | str] = []
    last = None
    for claim in claims:
        heading = describe_condition(claim.condition)
        if heading != last:
            lines.append(heading)
            last = heading
        lines.append(claim)
    return lines


def _row_heights(lines: Sequence[Claim | str]) -> list[float]:
    at, places = 0.0, []
    for line in lines:
        at -= HEADING if isinstance(line, str) else ROW
        if not isinstance(line, str) and _needs_second_line(line):
            at -= EXTRA
        places.append(at)
    return places


def describe_condition(condition: Condition) -> str:
    """Return a test condition in words.

    >>> describe_condition(Condition(shift="stretch", severity=4.0))
    'Stretch, severity 4'
    """
    parts = [capitalize_name(condition.family)] if condition.family else []
    if condition.shift:
        parts.append(
            f"{name_in_words(condition.shift)}, severity {condition.severity:g}"
        )
    return (
        capitalize_first(" · ".join(parts))
        or "In distribution: unseen tasks of the same family"
    )


def _describe_claim(claim: Claim) -> str:
    where = describe_condition(claim.condition)
    span = f"{format_number(claim.low)} to {format_number(claim.high)}"
    return f"{where}, against {claim.against}: {claim.call}, {span}"


def _heading(text: str, y: float) -> dict[str, Any]:
    return _note(f"<b>{text}</b>", x=0, y=y + 0.1, anchor="left")


def _note(text: str, *, x: float, y: float, anchor: str) -> dict[str, Any]:
    """Return a text beside the rows; x is a share of the width."""
    return {
        **{"text": text, "x": x, "xref": "x domain", "y": y},
        **{"xanchor": anchor, "yanchor": "middle"},
        **{"showarrow": False, "font": {"size": 12}},
    }


def _traces(claim: Claim, y: float) -> list[go.Scatter]:
    """Return the interval and the mark of a claim."""
    style = CALL_STYLES[claim.call]
    interval = go.Scatter(
        x=[claim.low, claim.high],
        y=[y, y],
        mode="lines",
        showlegend=False,
        line={"color": style.color, "width": 3},
        hoverinfo="skip",
    )
    hover = f"{_format_interval(claim)}<br>{_describe_sample(claim)}<extra></extra>"
    mark = go.Scatter(
        x=[claim.difference],
        y=[y],
        mode="markers",
        showlegend=False,
        marker={"color": style.color, "symbol": style.symbol, "size": 11},
        hovertemplate=hover,
    )
    return [interval, mark]


def _strips(claim: Claim, y: float) -> list[dict[str, Any]]:
    """Return the margin of a claim, where it has one, and the line at 0."""
    margin = [claim.margin] if np.isfinite(claim.margin) else []
    return [_strip(half, y) for half in (*margin, 0.0)]


def _strip(half: float, y: float) -> dict[str, Any]:
    """Return a row's shade from −half to half; a half of 0 draws the line at 0."""
    return {
        **{"type": "rect", "x0": -half, "x1": half, "y0": y - 0.3, "y1": y + 0.2},
        **{"fillcolor": MARGIN, "layer": "below"},
        "line": {"color": GREY, "width": 0 if half else 1.4},
    }


def _format_interval(claim: Claim) -> str:
    mid, *ends = map(format_number, (claim.difference, claim.low, claim.high))
    return f"{mid} [{', '.join(ends)}]"


def _words(claim: Claim) -> tuple[str, str, str]:
    """Return the other learner; the call with the interval; and the level."""
    primary = " (primary)" if claim.primary else ""
    mid, ends = _format_interval(claim).split(" ", 1)
    return (
        f"vs {learner_name(claim.against)}{primary}",
        f"{claim.call}  <b>{mid}</b> {ends}",
        format_percent(claim.level),
    )


def _needs_second_line(claim: Claim) -> bool:
    """Whether its words would overlap on a phone, were they side by side."""
    against, call, level = _words(claim)
    right = len(f"{call} {level}".replace("<b>", "").replace("</b>", "")) + 2
    return LETTER * len(against) + DIGIT * right > PHONE


def _notes(claim: Claim, y: float) -> list[dict[str, Any]]:
    """Return the other learner, on the left; call, interval and level, on the right."""
    style = CALL_STYLES[claim.call]
    against, call, level = _words(claim)
    sign = f"<span style='color:{style.color}'>{style.sign}</span>"
    above = UP if _needs_second_line(claim) else 0.0
    right = f"{sign} {call} <span style='color:{GREY}'>{level}</span>"
    return [
        _note(against, x=0, y=y + 0.42 + above, anchor="left"),
        _note(right, x=1, y=y + 0.42, anchor="right"),
    ]


def _describe_sample(claim: Claim) -> str:
    if _is_single_training(claim):
        return f"one training, interval over {claim.n_tasks} episodes"
    return format_sample(claim, "searches" if claim.over == "searches" else "tasks")


def _set_x_axis(figure: go.Figure, claims: Sequence[Claim], kind: Metric) -> None:
    """Set up the x axis, so that 0 and every interval are visible."""
    ends = [end for c in claims for end in (c.low, c.difference, c.high)]
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
