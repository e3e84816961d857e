"""Exports of a comparison: its link, its numbers and its figure."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from app.charts.run_comparison import Line
from app.views.compare import numbers, selection
from app.widgets import page_frame
from app.widgets.copy_button import copy_button
from app.widgets.figure_files import FORMATS, NO_BROWSER, can_render, render_figure


def draw_exports(
    keys: Sequence[str], lines: Sequence[Line], figure: go.Figure | None
) -> None:
    """Draw the link, the CSV of the numbers, and the figure as files.

    Args:
        keys: The compared runs.
        lines: The learners that are shown.
        figure: The chart; None if there is none.
    """
    with st.container(horizontal=True, key="compare_exports"):
        copy_button(
            "Copy link",
            _address(keys),
            key="compare_link",
            help="Copies the link to this comparison, for this installation.",
            done="Copied. The link names runs of this installation and carries no "
            "numbers; to take runs to another one, export and import them.",
        )
        st.download_button(
            "Numbers (CSV)",
            lambda: numbers.numbers_csv(lines),
            "comparison.csv",
            "text/csv",
            key="compare_csv",
            on_click="ignore",
            icon=":material/download:",
        )
        if figure is not None:
            _draw_figure_files(figure)


def _address(keys: Sequence[str]) -> str:
    root = page_frame.lab_address().removesuffix("/lab")
    return f"{root}/compare?{selection.PARAMETER}={selection.join_keys(keys)}"


def _draw_figure_files(figure: go.Figure) -> None:
    with st.popover("Figure", icon=":material/image:", key="compare_figure"):
        able = can_render()
        if not able:
            st.caption(NO_BROWSER)
        for kind, mime in FORMATS.items():
            if able or kind == "html":
                st.download_button(
                    kind.upper(),
                    lambda kind=kind: render_figure(figure, kind),
                    f"comparison.{kind}",
                    mime,
                    key=f"compare_figure.{kind}",
                    on_click="ignore",
                    icon=":material/image:",
                    width="stretch",
                )
