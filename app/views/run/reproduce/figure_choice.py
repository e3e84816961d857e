"""The choice of a figure to take along: as shown, or of any part of the page."""

from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st

from app.charts import run_figures
from app.charts.figure_lookup import title_in_link
from app.client.client import Run
from app.results.run_title import run_title
from app.views.run.reproduce.run_files import Titles, file_stem
from app.views.run.reproduce.share_link import embed_code
from app.web.settings import EMBED, read_embedders
from app.widgets import figure_files
from app.widgets.copy_button import copy_button
from app.widgets.figure_files import slug
from engine.executors.demo import is_demo

SHOWN = "As shown on this page"
FRAMES_REFUSED = (
    "Copied. No other site may show this demo in a frame yet: whoever runs it has to "
    f"name the site in {EMBED}."
)
Figures = Mapping[str, go.Figure]


def draw_figure_choice(run: Run, titles: Titles, shown: Figures, where: str) -> None:
    """Draw the choice of a figure and of its format.

    Args:
        run: A run with results.
        titles: Titles of parts, by name.
        shown: The figures that are drawn, by title, with the view options as they are.
        where: The part of the page, in the widgets' keys.
    """
    first = [SHOWN] if shown else []
    part = st.selectbox(
        "Part of the page",
        [*first, *run_figures.page_parts(run)],
        key=f"{where}.part",
        help="As shown: with the view options that are set now. A part of the page: as "
        "it is first shown, whether it was opened or not.",
    )
    found = shown if part == SHOWN else _part_figures(run, str(part))
    if not found:
        st.caption("This run has no such figure.")
        return
    name = str(st.selectbox("Figure", list(found), key=f"{where}.figure"))
    if name not in found:  # the figures changed under an open menu
        return
    file = f"{file_stem(run, titles)}_{slug(name)}"
    caption = _caption(run, titles)
    with st.container(horizontal=True):
        for kind in _formats():
            st.download_button(
                kind.upper(),
                data=lambda kind=kind: figure_files.render_figure(
                    found[name], kind, caption
                ),
                file_name=f"{file}.{kind}",
                mime=figure_files.FORMATS[kind],
                on_click="ignore",
                key=f"{where}.figure.{kind}",
                icon=":material/image:",
            )
    copy_button(
        "Copy embed code",
        embed_code(run, f"{name}: {run_title(run, titles)}", title_in_link(name)),
        key=f"{where}.embed",
        help="Copies an iframe for a web page or a course: this figure alone, as it is "
        "first shown, with the run's call and a link to the run.",
        done=FRAMES_REFUSED
        if is_demo() and not read_embedders()
        else "Copied. Paste it into the HTML of a page.",
    )


def draw_all_figures(run: Run, titles: Titles, where: str) -> None:
    """Draw the downloads of all figures of a run as one archive.

    Args:
        run: A run with results.
        titles: Titles of parts, by name.
        where: The part of the page, in the widgets' keys.
    """
    stem, caption = file_stem(run, titles), _caption(run, titles)
    with st.container(horizontal=True):
        for kind in _formats():
            st.download_button(
                f"All as {kind.upper()}",
                data=lambda kind=kind: figure_files.zip_figures(
                    all_figures(run), kind, stem, caption
                ),
                file_name=f"{stem}_figures_{kind}.zip",
                mime="application/zip",
                on_click="ignore",
                key=f"{where}.all.{kind}",
                icon=":material/folder_zip:",
                help="Every figure of every tab, in one archive.",
            )


def all_figures(run: Run) -> dict[str, go.Figure]:
    """Build every figure of a run, by part of the page and title."""
    return {
        f"{part} {title}": figure
        for part in run_figures.page_parts(run)
        for title, figure in _part_figures(run, part).items()
    }


def _part_figures(run: Run, part: str) -> dict[str, go.Figure]:
    return {k: v.wide for k, v in run_figures.part_figures(run, part).items()}


def _formats() -> list[str]:
    """Return the formats that this machine can make; say why some are missing."""
    if figure_files.can_render():
        return list(figure_files.FORMATS)
    st.caption(figure_files.NO_BROWSER)
    return ["html"]


def _caption(run: Run, titles: Titles) -> str:
    return f"{run_title(run, titles)} · run {run.key[:8]}"
