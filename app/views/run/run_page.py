"""One run on its page: form, header, charts, films and tabs."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import session, url_sync
from app.client import client
from app.client.client import Run
from app.form import experiment_form, run_bar
from app.views.run import (
    form_and_result,
    header,
    run_charts,
    tabs,
    untested_conditions,
)
from app.views.run.reproduce.export_menu import fill_export_menu
from app.widgets import page_elements, page_frame, phone_drawer
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec
from engine.stats.verdicts.wording import capitalize_first
from engine.store.errors import OverLimit, QueueFull

POLL = 0.6  # seconds between two polls of a run under way


def draw_beside_form(
    main: DeltaGenerator, draw_main: Callable[[], None]
) -> tuple[RunSpec, str] | None:
    """Draw a page's main area, then the form, so that charts appear before it.

    After a click on Run the form comes first: it opens another run.

    Args:
        main: Where the main area is.
        draw_main: Draws it.

    Returns:
        The form's completed spec and its run key; None if the form is invalid.
    """
    if session.is_opening() and client.is_catalogue_ready():
        session.prepare_form()  # a link shows its own kind, from the first paint on
    pressed = run_bar.is_run_pressed()
    if not pressed:
        with main:
            draw_main()
    with st.sidebar:
        wanted = _draw_run_form()
    if pressed:
        with main:
            draw_main()
    return wanted


def _draw_run_form() -> tuple[RunSpec, str] | None:
    """Draw the form; submit its experiment, or open its run, when Run is pressed."""
    if not client.is_catalogue_ready():
        page_elements.wait_for_catalogue(
            "Loading the catalogue of parts: a few seconds, once per installation.",
            (38, 90, 60, 120, 60),
        )
        return None
    session.prepare_form()
    wanted, pressed = experiment_form.draw_form()
    if pressed and wanted is not None:
        if _submit(wanted):
            session.show_run(wanted[1])
            url_sync.write_url(*wanted)
            phone_drawer.close_later()
        st.rerun()
    return wanted


def _submit(wanted: tuple[RunSpec, str]) -> bool:
    """Queue an experiment; where that is refused, the next rerun says why."""
    try:
        client.submit_completed(wanted, session.title_of(wanted[1]))
    except (Refused, QueueFull, OverLimit) as refusal:
        run_bar.tell_refusal(capitalize_first(str(refusal)))
        return False
    return True


def draw_run_in_view(key: str | None) -> None:
    """Draw the run in view."""
    run = form_and_result.run_to_show(key)
    if run is None:
        form_and_result.draw_no_result()
        return
    interval = _poll_interval(run)
    page_frame.poll(_draw_run, interval)(key, interval)


def _poll_interval(run: Run) -> float | None:
    """Return after how many seconds a run is drawn again; None once it has ended.

    The same for a whole run: a change draws the page anew, and a chart loses its zoom.
    """
    return POLL if run.is_alive else None


def _draw_run(key: str | None, interval: float | None) -> None:
    """Draw one run; polled at the interval, seconds, while it is alive."""
    run = form_and_result.run_to_show(key)
    if run is None or _poll_interval(run) != interval:  # deleted, or it goes on
        st.rerun()
    titles = client.part_titles()
    menu = header.draw_header(run, titles)
    form_and_result.draw_origins(run)
    with page_elements.collect_figures() as made:
        view_state = run_charts.draw_charts(run, titles)
        untested_conditions.draw_not_applicable(run, titles)
        if not run.is_alive:
            tabs.draw_tabs(run, view_state, titles)
    fill_export_menu(menu, run, titles, made)


def draw_notices() -> None:
    """Show the problems with the link that was opened."""
    notices = session.notices()
    for text in notices:
        st.info(escape_markdown(text), icon=":material/info:")
    if notices:
        shown = form_and_result.run_to_show(session.run_in_view())
        if shown is not None and shown.is_recorded:
            st.caption("Below is a recorded example, not what the link names.")
