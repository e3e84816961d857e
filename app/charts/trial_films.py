"""Films of what each agent did in one trial: pure functions from a run to figures."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import plotly.graph_objects as go

from app.charts.chart_options import FILMS, ResponsiveFigure
from app.client.client import Run
from app.figures.agent_paths import paths_figure
from app.figures.animation import FilmOptions
from app.figures.body_film import BODIES, body_film
from app.figures.figure_types import Film
from app.figures.pull_raster import belief_raster, has_beliefs, pull_raster
from app.figures.trial_film import shown_episodes
from app.figures.value_maps import has_value_maps, value_maps_figure
from engine.contract.events import Artefact


class Picture(NamedTuple):
    """How a film is drawn, and panels per row on a wide and on a narrow screen."""

    draw: Callable[[Film, Mapping[str, str], FilmOptions], go.Figure]
    wide: int
    narrow: int
    title: str = "Trial"


PICTURES = {
    "arms": Picture(pull_raster, 2, 1),
    "plane": Picture(paths_figure, 3, 1),
    "grid": Picture(paths_figure, 4, 2),
    "cartpole": Picture(body_film, 3, 1),
    "pendulum": Picture(body_film, 4, 2),
    "acrobot": Picture(body_film, 4, 2),
}
BELIEFS = Picture(belief_raster, 2, 1, "Beliefs")
VALUES = Picture(value_maps_figure, 2, 1, "Values")


def trial_figures(
    picture: Picture, run: Run, film: Artefact, options: FilmOptions
) -> tuple[go.Figure, go.Figure]:
    """Return a film, and its layout for narrow screens."""
    wide, narrow = (
        picture.draw(film, run.roles, shown)
        for shown in (
            options._replace(columns=picture.wide),
            options._replace(columns=picture.narrow, only_layout=True),
        )
    )
    return wide, narrow


def film_pictures(film: Artefact) -> list[Picture]:
    """Return the pictures of a film; none where its kind is unknown here."""
    first = PICTURES.get(str(film.info.get("picture")))
    if first is None:  # an imported film
        return []
    found = [first]
    found += [VALUES] if has_value_maps(film) else []
    return found + ([BELIEFS] if has_beliefs(film) else [])


def selectable_episodes(film: Artefact) -> list[int]:
    """Return the episodes that a picture of one can show; none where it shows all."""
    shown = shown_episodes(film)
    return shown if str(film.info["picture"]) in BODIES and len(shown) > 1 else []


def first_films(run: Run) -> Iterator[ResponsiveFigure]:
    """Yield all pictures of each film of a run, of the first trial."""
    for name in FILMS:
        film = run.film(name)
        for picture in film_pictures(film) if film is not None else ():
            options = FilmOptions(episode=(selectable_episodes(film) or [None])[-1])
            both = trial_figures(picture, run, film, options)
            yield ResponsiveFigure(f"{name}.{picture.draw.__name__}", *both)
