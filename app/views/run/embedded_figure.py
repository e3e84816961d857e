"""One figure of a run alone, for a frame in another page: `/lab?run=…&embed=true`."""

import importlib

import streamlit as st

from app import session, share_links, url_sync
from app.charts import figure_lookup
from app.client import client, recorded_examples
from app.client.client import Run
from app.results.call_lines import headline_and_notes
from app.results.run_title import run_title
from app.views.run.reproduce.share_link import run_link
from app.views.run.run_page import POLL
from app.widgets import page_elements, page_frame
from app.widgets.escaping import escape_html, escape_markdown
from engine.contract.errors import Refused

SHOW = "show"  # the parameter that names the figure


def draw_embedded() -> None:
    """Draw the figure that the link names, again and again while the run is alive."""
    # Plotly fails where the server still imports it in another thread; this waits.
    importlib.import_module("pandas")
    url_sync.read_url()
    run = _find_run()
    page_frame.poll(_draw, POLL if run.is_alive else None)(run.is_alive)


def _find_run() -> Run:
    """Return the run that the link names.

    Raises:
        Refused: If it is not stored here.
    """
    if key := session.run_in_view():
        return client.run(key)
    key = share_links.check_run_key(st.query_params["run"])
    example = recorded_examples.find_recorded(key)
    if example is None:
        raise Refused("There is no run with this id.", "run")
    return example


def _draw(was_alive: bool) -> None:
    run = _find_run()
    if run.is_alive != was_alive:
        st.rerun()
    name = st.query_params.get(SHOW, "")
    found = figure_lookup.find_figure(run, name)
    with st.container(key="embedded_figure", gap="xsmall"):
        if found is None:
            st.info(escape_markdown(_explain(run, name)))
        else:
            page_elements.draw_chart(found.wide, "embedded", narrow=found.narrow)
        st.html(_line(run))


def _explain(run: Run, name: str) -> str:
    if run.is_alive or not run.blocks:
        return "This run has no such figure yet."
    names = ", ".join(figure_lookup.figure_names(run))
    return f"This run has no figure {name[:40]!r}; {SHOW}= takes one of {names}."


def _line(run: Run) -> str:
    """Return what the figure is of, with the link to all of it, as HTML."""
    titles = client.part_titles()
    said = headline_and_notes(run, titles)[0] if run.summary is not None else ""
    # A frame shows no other page, so the link opens one.
    link = (
        f'<a href="{escape_html(run_link(run))}" target="_blank" rel="noopener">'
        "Open in Metascope</a>"
    )
    title = f"<strong>{escape_html(run_title(run, titles))}</strong>"
    parts = filter(None, (title, escape_html(said), link))
    return f'<p class="embedded-line">{" · ".join(parts)}</p>'
