"""The charts of a run: film and main chart side by side, the others two by two."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.charts import CHARTS, optimization
from app.charts.chart_options import MAIN_HEIGHT, NamedFigure, ViewState
from app.client.client import Run
from app.figures.curves import HOW_TO_READ
from app.views.run import view_options
from app.views.run.kind_view import VIEWS
from app.widgets import page_elements


def draw_charts(run: Run, titles: Mapping[str, str]) -> ViewState:
    """Draw film, main charts and the options of their view; return the view state.

    The main chart comes first in the script, since a film needs the whole chart
    library and more data; on the page the film is the first.

    Args:
        run: The run in view.
        titles: Titles of parts, by name.
    """
    if run.is_alive or not run.film_names:
        view_state = view_options.draw_options(run, titles)
        made = _main_charts(run, view_state)
        _draw_caption(run)
        _draw_grid(run, view_state, made)
        return view_state
    left, right = st.columns(2, gap="large")
    with right:
        view_state = view_options.draw_options(run, titles)
        made = _main_charts(run, view_state)
        for picture in made[:1]:
            _draw_main_chart(run, view_state, picture, MAIN_HEIGHT)
    with left:
        VIEWS[run.kind.name].draw_film(run)
    _draw_caption(run)
    _draw_grid(run, view_state, made[1:])
    return view_state


def _main_charts(run: Run, view_state: ViewState) -> list[NamedFigure]:
    moved = f"{view_options.THRESHOLD}.{run.key[:12]}"
    view_state = view_state._replace(threshold=st.session_state.get(moved))
    return list(CHARTS[run.kind.name].main_charts(run, view_state))


def _draw_caption(run: Run) -> None:
    """Say once what all charts of a run have in common."""
    if run.blocks:
        tested = bool(optimization.run_conditions(run))
        st.caption(CHARTS[run.kind.name].how_to_read if tested else HOW_TO_READ)


def _draw_grid(run: Run, view_state: ViewState, made: Sequence[NamedFigure]) -> None:
    """Draw charts two by two."""
    if not made and run.is_alive:
        st.skeleton(240)
    for place, picture in enumerate(made):
        if place % 2 == 0:
            columns = st.columns(2, gap="large")
        with columns[place % 2]:
            _draw_main_chart(run, view_state, picture)


def _draw_main_chart(
    run: Run, view_state: ViewState, picture: NamedFigure, height: int | None = None
) -> None:
    page_elements.draw_chart(picture.figure, f"main.{picture.name}", height=height)
    if picture.name == optimization.SURVIVAL:
        view_options.draw_threshold_slider(run, view_state)
