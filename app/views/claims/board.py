"""The claims board: common claims on meta-learning, tested by measurement."""

from collections.abc import Sequence

import streamlit as st

from app.charts.figure_cache import get_or_make
from app.client import client
from app.client.catalogue import Study
from app.experiment.costs import COSTS
from app.figures.claim_interval import claim_figure, describe_estimate
from app.views.claims import studies
from app.views.claims.studies import StudyRun
from app.widgets import page_elements, page_frame, tables
from app.widgets.escaping import escape_markdown
from app.widgets.live_plot import live_plot
from engine.contract.errors import Refused
from engine.stats.claims_board import StudyVerdict, judge_study
from engine.stats.verdicts.wording import format_count

VERDICTS = {
    "supported": (":material/check_circle:", "green"),
    "not supported": (":material/cancel:", "red"),
    "depends": (":material/alt_route:", "orange"),
    "can't tell yet": (":material/help:", "gray"),
}


def draw_claims_board() -> None:
    """Draw one card for each claim."""
    page_elements.draw_heading(
        "Claims board",
        "Common claims, each with a protocol to test it. The measured interval alone "
        "decides the verdict. Gray: the claimed range.",
    )
    if not studies.is_ready():
        return
    known = studies.list_studies()
    try:
        all_runs = {study.name: studies.study_runs(study) for study in known}
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    alive = any(run.is_alive for runs in all_runs.values() for run in runs)
    page_frame.poll(_draw_cards, 2.0 if alive else None)(known, alive)


def _draw_cards(all_studies: Sequence[Study], was_alive: bool) -> None:
    all_runs = {study.name: studies.study_runs(study) for study in all_studies}
    if was_alive and not any(r.is_alive for runs in all_runs.values() for r in runs):
        st.rerun()
    found = {
        study.name: _judge(study, all_runs[study.name])
        for study in all_studies
        if all(run.is_done for run in all_runs[study.name])
    }
    _draw_overview(all_studies, all_runs, found)
    for study in all_studies:
        _draw_card(study, all_runs[study.name], found.get(study.name))


def _draw_overview(
    all_studies: Sequence[Study],
    all_runs: dict[str, list[StudyRun]],
    verdicts: dict[str, StudyVerdict],
) -> None:
    missing = sum(not run.is_done for runs in all_runs.values() for run in runs)
    counts = dict.fromkeys(VERDICTS, 0)
    for judgment in verdicts.values():
        counts[judgment.verdict] = counts.get(judgment.verdict, 0) + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        said = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
        st.markdown(
            f"**{len(verdicts)} of {len(all_studies)} claims are measured**"
            + (f": {said}." if said else ".")
        )
        st.space("stretch")
        if missing and st.button(
            "Measure all",
            icon=":material/playlist_play:",
            key="board.all",
            help=f"Queues {missing} runs; runs that were computed before are reused.",
        ):
            for study in all_studies:
                studies.queue_missing(
                    study, [r for r in all_runs[study.name] if not r.is_done]
                )
            st.rerun()


def _judge(study: Study, runs: Sequence[StudyRun]) -> StudyVerdict:
    done = studies.finished_runs(runs)
    name = ("judged", study.name, *(run.cache_key for run in done))
    return get_or_make(name, lambda: judge_study(study.name, done))


def _draw_card(
    study: Study, runs: Sequence[StudyRun], verdict: StudyVerdict | None
) -> None:
    with st.container(border=True, key=f"claim.{study.name}"):
        left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
        with left:
            st.markdown(f"**“{_unbroken_percent(study.sentence)}”**")
            if verdict is None:
                st.caption(_describe_remaining_cost(runs))
            else:
                _draw_verdict(verdict)
        with right:
            if verdict is None:
                studies.draw_measure_button(study, runs, place="board")
                studies.draw_progress(runs)
            else:
                fig = claim_figure(verdict)
                live_plot(fig, key=f"board.{study.name}", alt=fig.layout.meta["alt"])
        with st.expander(f"Protocol, on {escape_markdown(study.ground)}"):
            st.markdown(escape_markdown(study.protocol))
            if verdict is not None and verdict.rows:
                tables.draw_table(
                    verdict.rows,
                    alt=f"Measurements for the claim: {study.sentence}",
                )
            studies.draw_run_states(runs)


def _unbroken_percent(sentence: str) -> str:
    """Escape a sentence for Markdown; no line break between a number and its %."""
    return escape_markdown(sentence).replace(" %", "\N{NO-BREAK SPACE}%")


def _describe_remaining_cost(runs: Sequence[StudyRun]) -> str:
    """Describe how many runs are still to be computed, and how much work they are."""
    left = [run.spec for run in runs if not run.is_done]
    kinds = [client.kind_of_spec(spec) for spec in left]
    work = sum(
        COSTS[kind.name].estimate_cost(spec)
        for kind, spec in zip(kinds, left, strict=True)
    )
    unit = kinds[0].words.work if kinds else ""
    count = format_count(len(left), "run")
    return f"Not measured yet: {count}, about {work:,.0f} {unit}."


def _draw_verdict(verdict: StudyVerdict) -> None:
    icon, color = VERDICTS[verdict.verdict]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(verdict.verdict, icon=icon, color=color)  # type: ignore[arg-type]
        st.markdown(f"**{escape_markdown(describe_estimate(verdict))}**")
    st.markdown(_unbroken_percent(verdict.reason))
