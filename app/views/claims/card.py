"""The card of a claim: verdict, interval, protocol, and the button that measures."""

import math
from collections.abc import Hashable

import plotly.graph_objects as go
import streamlit as st

from app import session
from app.charts.figure_cache import get_or_make
from app.client import run_groups
from app.experiment.cost_estimate import (
    Duration,
    describe_range,
    estimate_duration,
)
from app.figures.claim_interval import claim_figure, describe_estimate
from app.views.claims import studies
from app.views.claims.claim_states import VERDICTS, ClaimState
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from app.widgets.live_plot import live_plot
from engine.stats.claims_board import StudyVerdict
from engine.stats.learner_claims import CANT_TELL
from engine.stats.verdicts.wording import format_count


def draw_card(state: ClaimState) -> None:
    """Draw the card of a claim."""
    claim = state.claim
    with st.container(border=True, key=f"claim.{claim.name}"):
        sentence = f"**“{_unbroken_percent(claim.sentence)}”**"
        if state.verdict is None:
            st.markdown(sentence)
        else:
            _draw_verdict(claim.name, sentence, state.verdict)
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


def _draw_verdict(name: str, sentence: str, verdict: StudyVerdict) -> None:
    """Draw the claim's sentence and its verdict, beside the measured interval."""

    def make() -> go.Figure:
        return claim_figure(verdict)

    icon, color = VERDICTS[verdict.verdict]
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
    badge = f":{color}-badge[{icon} {verdict.verdict}]"
    estimate = f"{badge} **{escape_markdown(describe_estimate(verdict))}**"
    told = _unbroken_percent(f"{verdict.reason} {explain_open(verdict)}".rstrip())
    with left:
        # One text: a page of cards is sent and drawn element by element.
        st.markdown(f"{sentence}\n\n{estimate}\n\n{told}")
    with right:
        fig = get_or_make(("interval", *_interval_name(verdict)), make)
        live_plot(fig, key=f"interval.{name}", alt=fig.layout.meta["alt"])


def _interval_name(verdict: StudyVerdict) -> tuple[Hashable, ...]:
    """Return all that the figure of a verdict depends on."""
    ends = (verdict.estimate, verdict.low, verdict.high, *verdict.claimed)
    # Written out, since a NaN is not equal to itself.
    return (verdict.verdict, verdict.unit, *map(str, ends))


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
    with st.container(horizontal=True, vertical_alignment="center"):
        if state.recorded is not None:
            studies.draw_recorded_badge(state.is_outdated)
        st.caption(describe_origin(state))
        st.space("stretch")
        if state.study is not None and any(run.job for run in state.runs):
            _draw_link_to_runs(state)
        if state.study is not None:
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


def _unbroken_percent(sentence: str) -> str:
    """Escape a sentence for Markdown; no line break between a number and its %."""
    return escape_markdown(sentence).replace(" %", "\N{NO-BREAK SPACE}%")
