"""The tab Reproduce: all that is needed to compute a run again, or to tell of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app import share_links, visitors
from app.charts.chart_options import ViewState
from app.client import client, files
from app.client.client import Run
from app.figures.theme import learner_name
from app.report.settings import COMMAND, flatten
from app.views.run.reproduce import share_link
from app.views.run.reproduce.figure_choice import draw_all_figures, draw_figure_choice
from app.views.run.reproduce.run_files import (
    Titles,
    draw_file,
    file_stem,
    list_files,
)
from app.widgets import demo_notice, page_elements
from app.widgets.copy_button import copy_button
from app.widgets.escaping import escape_markdown
from engine import portable_arithmetic
from engine.executors.demo import is_demo


def draw_section(run: Run, view_state: ViewState, titles: Titles) -> None:
    """Draw everything to take along.

    Args:
        run: The run.
        view_state: The view options; figures as shown have them already.
        titles: Titles of parts, by name.
    """
    left, right = st.columns(2, gap="large")
    with left:
        _draw_link(run)
        _draw_files(run, titles)
        if run.blocks:
            _draw_figures(run, titles)
        _draw_origin(run)
    with right:
        if is_demo():
            _draw_own_computer(run)
        page_elements.draw_heading("On the command line", "Save config.json, then:")
        st.code(COMMAND, language="bash", wrap_lines=True)
        page_elements.draw_heading(
            "In Python", "Started in the folder of Metascope; the notebook does more."
        )
        # A box that scrolls is out of the keyboard's reach, so all of it is shown.
        with st.expander("Show the code"):
            st.code(files.export_python(run), language="python", wrap_lines=True)
        page_elements.draw_heading(
            "config.json", "Everything that determines the numbers."
        )
        config = files.export_file(run, "config.json").decode()
        with st.expander("Show the settings"):
            st.code(config, language="json", wrap_lines=True)


def _draw_link(run: Run) -> None:
    page_elements.draw_heading("Link", share_link.meaning_of_link(run))
    share_link.draw_copy_link(run, "copy_link_again")
    st.caption(
        "It contains every setting and the run's key. Opening it starts nothing: a "
        "finished run is shown, any other waits until Run is pressed."
    )


def _draw_own_computer(run: Run) -> None:
    page_elements.draw_heading(
        "Open locally", "On your own computer nothing is limited. Start the lab:"
    )
    demo_notice.draw_local_commands()
    copy_button(
        "Copy the link for there",
        share_links.share_link(demo_notice.LOCAL_LAB, run.spec, run.key),
        key="copy_local_link",
        help="Opens this experiment in the lab on your computer.",
        done="Copied. Once your lab has started, paste it into the browser; Run "
        "computes the experiment there.",
    )


def _draw_files(run: Run, titles: Titles) -> None:
    page_elements.draw_heading("Files", "Built when they are downloaded.")
    stem = file_stem(run, titles)
    columns = st.columns(2)
    for place, file in enumerate(list_files(run, titles)):
        with columns[place % 2]:
            draw_file(file, stem, "reproduce")


def _draw_figures(run: Run, titles: Titles) -> None:
    page_elements.draw_heading(
        "Figures", "Of every tab, whether it was opened or not; named after the run."
    )
    shown = page_elements.drawn_figures()
    draw_figure_choice(run, titles, shown, "reproduce")
    draw_all_figures(run, titles, "reproduce")


def _draw_origin(run: Run) -> None:
    page_elements.draw_heading(
        "Computed with", _describe_repeatability(run.fingerprint)
    )
    page_elements.draw_facts(flatten(run.fingerprint) | {"run": run.key})
    _draw_version_differences(run)
    _draw_inputs(run)


def _describe_repeatability(fingerprint: Mapping[str, Any]) -> str:
    """Describe which machines reproduce a run with this fingerprint, bit for bit."""
    if fingerprint.get("device", "cpu") != "cpu":
        return "The same device and versions give the same numbers, bit for bit."
    if fingerprint.get("arithmetic") == portable_arithmetic.PORTABLE:
        return (
            "The same versions give the same numbers, bit for bit, on every x86 "
            "machine with AVX2."
        )
    return "The same processor and versions give the same numbers, bit for bit."


def _draw_version_differences(run: Run) -> None:
    """Show the versions in which this installation differs from the run's."""
    if not client.is_catalogue_ready():
        return
    there = dict(run.fingerprint.get("versions") or {})
    here = dict(client.catalogue().versions)
    if computed_with := run.fingerprint.get("arithmetic"):
        there["arithmetic"], here["arithmetic"] = (
            computed_with,
            portable_arithmetic.describe_arithmetic(),
        )
    other = [
        f"{k} {v} (here {here[k]})" for k, v in there.items() if here.get(k, v) != v
    ]
    if other:
        st.info(
            escape_markdown(
                f"Computed with {', '.join(other)}: a rerun here gives close, but "
            )
            + "perhaps not identical, numbers."
        )


def _draw_inputs(run: Run) -> None:
    if not run.spec.inputs:
        return
    page_elements.draw_heading("Made from", "Frozen meta-learners of earlier runs.")
    for label, source in run.spec.inputs.items():
        st.markdown(
            f"{escape_markdown(learner_name(label))}: "
            f"{_link_to(source.run)}, "
            f"artefact {escape_markdown(source.artefact)}"
        )


def _link_to(key: str) -> str:
    """Return a link to a run; its id alone where it is not here."""
    name = f"`{key[:12]}`"
    if client.job(key) is None:
        return name
    return f"[{name}](?{urlencode(visitors.address_of(key))})"
