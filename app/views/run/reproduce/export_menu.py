"""The menu of a run's header: what is most often taken along."""

from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.client.client import Run
from app.views.run.reproduce.figure_choice import draw_figure_choice
from app.views.run.reproduce.run_files import (
    Titles,
    draw_file,
    file_stem,
    list_files,
)


def draw_export_button() -> DeltaGenerator:
    """Draw the button of the menu; return the menu, to be filled after the charts."""
    menu = st.popover(
        "Export",
        icon=":material/download:",
        key="exports",
        type="tertiary",
        on_change="rerun",  # a dozen buttons that most reruns do without
    )
    return menu


def fill_export_menu(
    menu: DeltaGenerator, run: Run, titles: Titles, shown: Mapping[str, go.Figure]
) -> None:
    """Draw a run's files and figures into the menu, if it is open.

    Args:
        menu: The menu.
        run: The run.
        titles: Titles of parts, by name.
        shown: The figures that are drawn, by title.
    """
    if not menu.open:
        return
    with menu:
        stem = file_stem(run, titles)
        for file in list_files(run, titles):
            draw_file(file, stem, "export")
        if run.blocks:
            draw_figure_choice(run, titles, shown, "export")
