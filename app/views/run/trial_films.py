"""What each agent did in one trial: its pulls, its path, or the body that it moved."""

from collections.abc import Sequence

import streamlit as st

from app.charts.chart_options import FILMS
from app.charts.figure_cache import get_or_make
from app.charts.trial_films import (
    Picture,
    film_pictures,
    selectable_episodes,
    trial_figures,
)
from app.client.client import Run
from app.figures.animation import FilmOptions
from app.views.run.task_films import choose_film, choose_number
from app.widgets import page_elements
from engine.contract.events import Artefact


def draw_trial_film(run: Run) -> None:
    """Draw one recorded trial of every agent; nothing where none was recorded."""
    names = [name for name in FILMS if name in run.film_names]
    if not names:
        return
    with st.container(key="film"):
        with st.container(
            horizontal=True, vertical_alignment="bottom", key="film_tools"
        ):
            made = choose_film(run, names)
            pictures = film_pictures(made) if made else []
            if made is None or not pictures:
                return  # an imported film may be of a picture that is unknown here
            picture = _choose_picture(pictures)
            trial = choose_number("Trial", int(made.info.get("trials", 1)))
            options = FilmOptions(trial, episode=_choose_episode(made))
        _draw_picture(picture, run, made, options)


def _choose_picture(pictures: Sequence[Picture]) -> Picture:
    """Choose what of a trial is shown, where there is more than what was done."""
    found = {picture.title: picture for picture in pictures}
    if len(found) < 2:
        return pictures[0]
    shown = st.segmented_control(
        "Shown",
        list(found),
        default=pictures[0].title,
        key="film_picture",
        bind="query-params",
        required=True,
        help="Trial: what the agents did. Values: what their value nets expect by "
        "place. Beliefs: what their pulls say about the arms.",
    )
    return found.get(str(shown), pictures[0])


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
