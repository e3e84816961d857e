"""What each agent did in one trial: its pulls, its path, or the body that it moved."""

import streamlit as st

from app.charts.chart_options import FILMS
from app.charts.figure_cache import get_or_make
from app.charts.rl import switch_charts
from app.charts.trial_films import (
    BELIEFS,
    PICTURES,
    VALUES,
    Picture,
    selectable_episodes,
    trial_figures,
)
from app.client.client import Run
from app.figures.animation import FilmOptions
from app.figures.pull_raster import has_beliefs
from app.figures.value_maps import has_value_maps
from app.views.run.task_films import choose_film, choose_number
from app.widgets import page_elements
from engine.contract.events import Artefact, Condition


def draw_trial_films(run: Run) -> None:
    """Draw one recorded trial of every agent; nothing where none was recorded."""
    names = [name for name in FILMS if run.film(name) is not None]
    if not names:
        return
    with st.container(key="film"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            made = choose_film(run, names)
            picture = made and PICTURES.get(str(made.info.get("picture")))
            if made is None or picture is None:
                return  # an imported film may be of a picture that is unknown here
            trial = choose_number("Trial", int(made.info.get("trials", 1)))
            options = FilmOptions(trial, episode=_choose_episode(made))
        _draw_picture(picture, run, made, options)
        _draw_switches(run, made)
        if has_value_maps(made):
            _draw_picture(VALUES, run, made, options)
        if has_beliefs(made) and st.toggle(
            "Show what the pulls say", key="film_beliefs", bind="query-params"
        ):
            _draw_picture(BELIEFS, run, made, options)


def _draw_picture(
    picture: Picture, run: Run, film: Artefact, options: FilmOptions
) -> None:
    """Draw a film for a wide and for a narrow screen."""
    name = picture.draw.__name__
    place = (name, run.cache_key, film.name, options.task, options.episode)
    wide, narrow = get_or_make(
        place, lambda: trial_figures(picture, run, film, options)
    )
    page_elements.draw_chart(wide, name, narrow=narrow)


def _draw_switches(run: Run, film: Artefact) -> None:
    """Draw how often agents change the arm, beside their pulls; of bandits alone."""
    condition = Condition(**film.info.get("condition", {}))
    made = list(switch_charts(run, condition))
    if not made:
        return
    for column, chart in zip(st.columns(len(made), gap="large"), made, strict=True):
        with column:
            page_elements.draw_chart(chart.figure, chart.name)


def _choose_episode(film: Artefact) -> int | None:
    """Choose one episode, where a picture shows one; None elsewhere."""
    shown = selectable_episodes(film)
    if not shown:
        return None
    picked = st.segmented_control(
        "Episode",
        [episode + 1 for episode in shown],
        default=shown[-1] + 1,
        key="film_episode",
        bind="query-params",
        required=True,
        help="The first one is before adaptation, the last one after it.",
    )
    # A link may name an episode that this film does not show.
    return int(picked) - 1 if picked and int(picked) - 1 in shown else shown[-1]
