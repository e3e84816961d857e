"""The Lab: one run in view, from the click to the verdict, on one page."""

from collections.abc import Mapping

import streamlit as st

from app import session
from app.charts import CHARTS, optimization
from app.charts.view_state import Look
from app.client import client, examples
from app.client.client import Run
from app.figures.curves import READ
from app.form import form as experiment_form
from app.views.run import (
    exports,
    header,
    not_applicable,
    tabs,
    view_options,
)
from app.views.run.kind_view import VIEWS
from app.widgets import frame, panels
from app.widgets.escaping import plain
from engine.contract import kinds
from engine.contract.runs import RunSpec


def form() -> tuple[RunSpec, str] | None:
    """Draw the experiment's form; start or open what it asks for when told to."""
    if not client.catalogue_ready():
        _waiting()
        return None
    session.prepare()
    wanted = experiment_form.draw()
    if experiment_form.run_button(wanted) and wanted is not None:
        client.queue(wanted)
        session.show(wanted[1])
        session.write_url(*wanted)
        st.rerun()
    return wanted


@st.fragment(run_every=0.7)
def _waiting() -> None:
    """Say that the engine is describing its parts; come back when it has."""
    if client.catalogue_ready():
        st.rerun()
    if client.catalogue_error():
        panels.refused(client.catalogue_error())
        return
    st.caption("Reading the engine's parts; once per installation, a few seconds.")
    for height in (38, 90, 60, 120, 60):
        st.skeleton(height)


def shown(key: str | None) -> Run | None:
    """Return the run in view, or the recorded example of what is learned."""
    return client.run(key) if key else examples.run(session.kind())


def view(key: str | None, page: str) -> None:
    """Draw the run in view, on the page that is its kind's."""
    run = shown(key)
    if run is None:
        _nothing(kinds.kind_named(session.kind()))
        return
    session.go(run.kind.name, page)
    frame.polled(_main, 1.0 if run.alive else None)(key, run.alive)


def _nothing(kind: kinds.Kind) -> None:
    """Teach: say what to do where there is nothing to show."""
    panels.empty(
        "Nothing has run yet",
        f"Choose {kind.words.first_choice} and a {kind.words.learner.lower()} on the "
        "left, then press **Run** (Ctrl + Enter). A short experiment takes a few "
        "seconds.",
    )


def _main(key: str | None, was_alive: bool) -> None:
    """Draw one run; polled while it is alive."""
    run = shown(key)
    if run is None:
        return
    if was_alive and not run.alive:
        st.rerun()
    room = header.head(run)
    look = view_options.options(run, titles(run))
    not_applicable.told(run, titles(run))
    with panels.collected() as made:
        _pictures(run, look)
        if run.alive:
            return
        VIEWS[run.kind.name].film(run)
        tabs.tabs(run, look, titles(run))
    if made:
        with room:
            exports.figures(made, run)


def _pictures(run: Run, look: Look) -> None:
    """Draw the main pictures, two in a row; the threshold moves under its own."""
    moved = f"{view_options.THRESHOLD}.{run.key[:12]}"
    look = look._replace(threshold=st.session_state.get(moved))
    charts = CHARTS[run.kind.name]
    if run.blocks:
        tested = bool(optimization.conditions(run))
        st.caption(charts.how_to_read if tested else READ)
    columns = None
    for place, picture in enumerate(charts.grid(run, look)):
        if columns is None or place % 2 == 0:
            columns = st.columns(2, gap="large")
        with columns[place % 2]:
            panels.chart(picture.figure, f"main.{picture.place}")
            if picture.place == optimization.SURVIVAL:
                view_options.threshold(run, look)
    if columns is None and run.alive:
        st.skeleton(240)


def titles(run: Run) -> Mapping[str, str]:
    """Return what parts are called, by name."""
    if not client.catalogue_ready():
        return {}
    return {card.name: card.title for card in client.catalogue().cards.values()}


def notices() -> None:
    """Say what was odd about the link that brought the visitor here."""
    for text in session.notices():
        st.info(plain(text), icon=":material/info:")


def offer(wanted: tuple[RunSpec, str] | None) -> None:
    """Say that a link's experiment is not computed yet."""
    if wanted is None or session.in_view() or session.notices():
        return
    if "x" not in st.query_params:
        return
    if client.job(wanted[1]) is None:
        st.info(
            "The form holds the experiment of this link. It is not computed here yet: "
            "press **Run** to compute it. Below is the recorded example.",
            icon=":material/link:",
        )
