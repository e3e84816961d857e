"""What each agent did in one trial: its pulls, its path, or the body that it moved."""

import plotly.graph_objects as go
import streamlit as st

from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.agent_paths import paths_figure
from app.figures.animation import FilmOptions
from app.figures.body_film import body_film
from app.figures.pull_raster import pull_raster
from app.views.run.task_films import FILMS
from app.widgets import page_elements
from engine.contract.events import Artefact

# How each picture is drawn, and panels per row on a wide and on a narrow screen.
PICTURES = {
    "arms": (pull_raster, 2, 1),
    "plane": (paths_figure, 3, 1),
    "grid": (paths_figure, 4, 2),
    "cartpole": (body_film, 3, 1),
    "pendulum": (body_film, 4, 2),
    "acrobot": (body_film, 4, 2),
}


def draw_trial_films(run: Run) -> None:
    """Draw one recorded trial of every agent; nothing where none was recorded."""
    names = [name for name in FILMS if run.film(name) is not None]
    if not names:
        return
    with st.container(key="film"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            made = _choose_film(run, names)
            if made is None:
                return
            trial = _choose_trial(made)
        wide, narrow = get_or_make(
            ("trials", run.cache_key, made.name, trial),
            lambda: _figures(run, made, trial),
        )
        page_elements.draw_chart(wide, "film_chart", narrow=narrow)


def _choose_film(run: Run, names: list[str]) -> Artefact | None:
    name = names[0]
    if len(names) > 1:
        name = st.segmented_control(
            "Film",
            names,
            format_func=FILMS.get,
            default=names[0],
            key="film_name",
            bind="query-params",
            required=True,
        )
    return run.film(str(name))


def _choose_trial(film: Artefact) -> int:
    count = int(film.info.get("trials", 1))
    if count < 2:
        return 0
    picked = st.segmented_control(
        "Trial",
        list(range(1, count + 1)),
        default=1,
        key="film_task",
        bind="query-params",
        required=True,
    )
    # A link may name a trial that this film does not have.
    return min(count, max(1, int(picked or 1))) - 1


def _figures(run: Run, film: Artefact, trial: int) -> tuple[go.Figure, go.Figure]:
    draw, wide, narrow = PICTURES[str(film.info["picture"])]
    options = FilmOptions(task=trial, columns=wide)
    phone = draw(film, run.roles, options._replace(columns=narrow))
    return draw(film, run.roles, options), phone
