"""Charts of a searched space that is small enough to be listed."""

from collections.abc import Iterator

import numpy as np

from app.charts.chart_options import ResponsiveFigure
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.space_film_reader import SpaceFilm
from app.figures.space_ruggedness import distance_figure, map_figure, walk_figure
from app.figures.sphere import SearchPath, phone_layout, sphere_figure
from engine.stats.search.fitness_landscape import FitnessDistance, fitness_distance


def space_charts(run: Run) -> Iterator[ResponsiveFigure]:
    """Yield sphere, map and ruggedness; none of a space too large to be listed."""
    film = run.film("film")
    space = SpaceFilm(film) if film is not None and film.kind == "search" else None
    if space is None or space.coordinates("sphere/xyz") is None:
        return
    ball = sphere_figure(space, run.roles, first_path(run, space))
    yield ResponsiveFigure("sphere", ball, phone_layout(ball))
    if space.scores is None or not np.isfinite(space.scores).any():
        return
    yield ResponsiveFigure("map", map_figure(space, by_basin=False, opened=None))
    yield ResponsiveFigure("distance", distance_figure(distances(run, space)))
    if walk := space.geometry.get("walk"):
        yield ResponsiveFigure("walk", walk_figure(walk))


def first_path(run: Run, space: SpaceFilm) -> SearchPath | None:
    """Return the first recorded search of the first strategy that has one."""
    for label in run.roles:
        if held := space.search_indices(label):
            return SearchPath(label, held[0])
    return None


def distances(run: Run, space: SpaceFilm) -> FitnessDistance:
    """Return accuracy against the number of changes from the best architecture."""
    return get_or_make(
        ("distance", run.cache_key),
        lambda: fitness_distance(space.scores, space.radix),
    )
