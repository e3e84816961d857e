"""The claims board: what this field repeats, against what is measured here."""

from collections.abc import Sequence

import streamlit as st

from app.charts.figure_cache import kept
from app.client.catalogue import Study
from app.experiment.costs.search import architectures
from app.figures.claim_interval import board_figure, told
from app.views.search import studies
from app.views.search.studies import Held
from app.widgets import frame, panels, tables
from app.widgets.escaping import plain
from app.widgets.live_plot import live_plot
from engine.contract.errors import Refused
from engine.stats.claims_board import Judgment, judged

VERDICTS = {
    "supported": (":material/check_circle:", "green"),
    "not supported": (":material/cancel:", "red"),
    "depends": (":material/help:", "orange"),
}


def page() -> None:
    """Draw one card for each claim."""
    panels.heading(
        "Claims board",
        "Sentences that are often repeated, each with its protocol. A verdict is given "
        "by the measured interval alone, whichever it is. Grey: what is claimed.",
    )
    if not studies.ready():
        return
    known = studies.studies()
    try:
        all_runs = {study.name: studies.held(study) for study in known}
    except Refused as refusal:
        panels.refused(refusal.message)
        return
    alive = any(run.alive for runs in all_runs.values() for run in runs)
    frame.polled(_cards, 2.0 if alive else None)(known, alive)


def _cards(known: Sequence[Study], was_alive: bool) -> None:
    all_runs = {study.name: studies.held(study) for study in known}
    if was_alive and not any(r.alive for runs in all_runs.values() for r in runs):
        st.rerun()
    found = {
        study.name: _judged(study, all_runs[study.name])
        for study in known
        if all(run.done for run in all_runs[study.name])
    }
    _overview(known, all_runs, found)
    for study in known:
        _card(study, all_runs[study.name], found.get(study.name))


def _overview(
    known: Sequence[Study], all_runs: dict[str, list[Held]], found: dict[str, Judgment]
) -> None:
    missing = sum(not run.done for runs in all_runs.values() for run in runs)
    counts = dict.fromkeys(VERDICTS, 0)
    for judgment in found.values():
        counts[judgment.verdict] = counts.get(judgment.verdict, 0) + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        said = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
        st.markdown(
            f"**{len(found)} of {len(known)} claims are measured**"
            + (f": {said}." if said else ".")
        )
        st.space("stretch")
        if missing and st.button(
            "Measure all",
            icon=":material/playlist_play:",
            key="board.all",
            help=f"Queues {missing} runs; what was computed before is taken as it is.",
        ):
            for study in known:
                studies.measure(study, [r for r in all_runs[study.name] if not r.done])
            st.rerun()


def _judged(study: Study, runs: Sequence[Held]) -> Judgment:
    done = studies.finished(runs)
    name = ("judged", study.name, *(run.edition for run in done))
    return kept(name, lambda: judged(study.name, done))


def _card(study: Study, runs: Sequence[Held], judgment: Judgment | None) -> None:
    with st.container(border=True, key=f"claim.{study.name}"):
        left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
        with left:
            st.markdown(f"**“{_unbroken(study.sentence)}”**")
            if judgment is None:
                st.caption(_price(runs))
            else:
                _verdict(judgment)
        with right:
            if judgment is None:
                studies.button(study, runs, place="board")
                studies.progress(runs)
            else:
                fig = board_figure(judgment)
                live_plot(fig, key=f"board.{study.name}", alt=fig.layout.meta["alt"])
        with st.expander(f"Protocol, on {plain(study.ground)}"):
            st.markdown(plain(study.protocol))
            if judgment is not None and judgment.rows:
                tables.draw(
                    judgment.rows,
                    alt=f"What was measured for: {study.sentence}",
                )
            studies.states(runs)


def _unbroken(sentence: str) -> str:
    """Return a sentence for Markdown, a number and its sign on one line."""
    return plain(sentence).replace(" %", "\N{NO-BREAK SPACE}%")


def _price(runs: Sequence[Held]) -> str:
    """Say what is left to be measured."""
    left = [run.spec for run in runs if not run.done]
    work = sum(architectures(spec) for spec in left)
    return f"Not measured yet: {len(left)} runs, about {work:,.0f} architectures."


def _verdict(judgment: Judgment) -> None:
    icon, color = VERDICTS[judgment.verdict]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(judgment.verdict, icon=icon, color=color)  # type: ignore[arg-type]
        st.markdown(f"**{plain(told(judgment))}**")
    st.markdown(_unbroken(judgment.told))
