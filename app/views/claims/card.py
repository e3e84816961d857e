"""The card of a claim: verdict, interval, protocol, and the button that measures."""

import math
import re

import streamlit as st

from app import session
from app.charts.figure_cache import get_or_make
from app.client import run_groups
from app.experiment.cost_estimate import (
    Duration,
    describe_range,
    estimate_duration,
)
from app.views.claims import studies
from app.views.claims.claim_states import VERDICTS, ClaimState
from app.views.claims.interval_picture import describe_estimate, interval_picture
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_html, escape_markdown
from app.widgets.svg_picture import Ink, picture_html
from engine.stats.claims_board import StudyVerdict
from engine.stats.learner_claims import CANT_TELL
from engine.stats.verdicts.wording import format_count

# An estimate with its interval, as reasons have them: "12 % [−3.7, 25]".
_INTERVAL = re.compile(r"(?P<number>[-\N{MINUS SIGN}]?\d[\d.]*)( [%×])? \[[^\]]+\]")


def draw_card(state: ClaimState, ink: Ink) -> None:
    """Draw the card of a claim.

    Args:
        state: What is known of it.
        ink: Colors of its picture.
    """
    claim = state.claim
    with st.container(border=True, key=f"claim.{claim.name}"):
        st.html(_head_html(state, ink))
        _draw_origin(state)
        if state.study is not None:
            studies.draw_progress(state.runs)
        details = st.expander(
            f"Protocol, on {escape_markdown(claim.ground)}",
            key=f"protocol.{claim.name}",
            on_change="rerun",
        )
        if details.open:  # the tables of all claims are most of the page
            with details:
                _draw_details(state)


def _head_html(state: ClaimState, ink: Ink) -> str:
    """Return a claim's sentence and verdict, beside the picture of its interval.

    One text: a page of cards is sent and drawn element by element.
    """
    sentence = f'<h4 class="card-title">“{_unbroken(state.claim.sentence)}”</h4>'
    verdict = state.verdict
    if verdict is None:
        return sentence
    picture = picture_html(interval_picture(verdict, ink), "claim-interval")
    look = VERDICTS[verdict.verdict]
    chip = (
        f'<span class="chip chip-{look.css}">{look.sign} '
        f"{escape_html(verdict.verdict)}</span>"
    )
    text = f'{sentence}<p class="claim-call">{chip} {explain_verdict(verdict)}</p>'
    return f'<div class="claim"><div class="claim-text">{text}</div>{picture}</div>'


def explain_verdict(verdict: StudyVerdict) -> str:
    """Return a verdict's reason as HTML, in which its estimate is bold, once."""
    told = f"{verdict.reason} {explain_open(verdict)}".rstrip()
    for found in _INTERVAL.finditer(told):
        number = float(found["number"].replace("\N{MINUS SIGN}", "-"))
        if math.isclose(number, verdict.estimate, rel_tol=0.05):
            start, end = found.span()
            end += len(f" {verdict.unit}") * told[end:].startswith(f" {verdict.unit}")
            parts = map(_unbroken, (told[:start], told[start:end], told[end:]))
            return "{}<strong>{}</strong>{}".format(*parts)
    estimate = _unbroken(describe_estimate(verdict))
    return f"<strong>{estimate}</strong><br>{_unbroken(told)}"


def explain_open(verdict: StudyVerdict) -> str:
    """Return why the shown interval leaves the claim open; empty if it is decided."""
    ends = (verdict.low, verdict.high)
    decided = verdict.verdict != CANT_TELL
    if decided or len(verdict.claimed) > 1 or not all(map(math.isfinite, ends)):
        return ""
    limit = verdict.claimed[0] if verdict.claimed else 0.0
    if not verdict.low <= limit <= verdict.high:
        return "Another of its comparisons is undecided, so the claim stays open."
    unit = " %" if verdict.unit.startswith("%") else ""
    return (
        f"The claim holds above {_minus(limit)}{unit}, and the interval reaches to "
        "both sides of that, so it stays open."
    )


def _minus(limit: float) -> str:
    """Return a claim's limit as text, with the typographic minus of other numbers."""
    return f"{limit:g}".replace("-", "\N{MINUS SIGN}")


def _draw_origin(state: ClaimState) -> None:
    """Draw where the verdict is from, what it took, and what can be done."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        badge = refusal = ""
        if state.recorded is not None:
            badge = studies.recorded_badge(state.is_outdated)
        if state.study is not None:
            refusal = studies.refusal_to_measure(state.runs)
        said = " ".join(filter(None, (badge, describe_origin(state), refusal)))
        st.markdown(f":small[{said}]", width="stretch")
        if state.study is not None and any(run.job for run in state.runs):
            _draw_link_to_runs(state)
        if state.study is not None and not refusal:
            studies.draw_measure_button(
                state.study, state.runs, place="board", shown=state.verdict is not None
            )


def describe_origin(state: ClaimState) -> str:
    """Describe the runs behind a verdict and their time, or what is still to run."""
    count, held = format_count(state.claim.runs, "run"), state.recorded
    if state.refusal:
        return f"Cannot be measured here: {escape_markdown(state.refusal)}"
    if held is not None:
        took = page_elements.format_duration(held.seconds)
        ground = "" if held.ground == state.claim.ground else f" on {held.ground}"
        where = f"one core of {held.machine}" if held.machine else "another machine"
        runs = format_count(len(held.keys), "run")
        return escape_markdown(f"{runs}{ground}, {took} on {where}.")
    if state.verdict is not None:
        took = page_elements.format_duration(state.seconds)
        return f"Measured here: {count}, {took}."
    if state.study is None or not state.missing_runs:
        return f"Not measured yet: {count}."
    left = format_count(len(state.missing_runs), "run")
    keys = tuple(run.key for run in state.missing_runs)
    took = get_or_make(("time of a claim", keys), lambda: _describe_time(state))
    return f"Not measured yet: {left}, {took}."


def _describe_time(state: ClaimState) -> str:
    """Describe how long the missing runs take here, one after the other."""
    specs = [run.spec for run in state.missing_runs]
    each = [estimate_duration(spec).whole for spec in specs]
    whole = Duration(sum(d.low for d in each), sum(d.high for d in each))
    return f"about {describe_range(whole)} of one core here"


def _draw_link_to_runs(state: ClaimState) -> None:
    assert state.study is not None
    if st.button(
        "Its runs",
        icon=":material/list:",
        key=f"runs.{state.claim.name}",
        type="tertiary",
        help="Lists the runs of this claim on the page Runs.",
    ):
        keys = [run.key for run in state.runs]
        group = run_groups.file_claim(state.study, keys)
        st.switch_page("../pages/runs.py", query_params={session.SWEEP: group})


def _draw_details(state: ClaimState) -> None:
    """Draw the protocol, every measurement, and the states of the runs."""
    st.markdown(escape_markdown(state.claim.protocol))
    if state.verdict is not None and state.verdict.rows:
        tables.draw_table(
            state.verdict.rows,
            alt=f"Measurements for the claim: {state.claim.sentence}",
        )
    if any(run.job for run in state.runs):
        studies.draw_run_states(state.runs)


def _unbroken(text: str) -> str:
    """Escape a text for HTML; no line break between a number and its %."""
    return escape_html(text).replace(" %", "\N{NO-BREAK SPACE}%")
