"""One recorded search in detail: pure functions from a run to figures."""

from collections.abc import Iterator
from typing import NamedTuple

import plotly.graph_objects as go

from app.charts.chart_options import FILMS, ResponsiveFigure
from app.client.client import Run
from app.figures.architecture import architecture_figure
from app.figures.parallel_coordinates import parallel_figure
from app.figures.pareto import CostProperty, pareto_figure
from app.figures.policy import policy_figure, policy_film
from app.figures.space_data import Space, known_accuracies, read_search
from engine.contract.events import Artefact


class FilmedSearch(NamedTuple):
    """One recorded search: its film, its number and its strategy."""

    film: Artefact
    search: int
    label: str


def filmed_labels(run: Run, film: Artefact) -> list[str]:
    """Return the strategies whose searches a film holds."""
    return [label for label in run.roles if f"{label}/architecture" in film.arrays]


def architecture_figures(
    run: Run, filmed: FilmedSearch
) -> tuple[go.Figure, go.Figure | None]:
    """Return the best architectures, and the layout for narrow screens if another."""
    space, one = Space.from_film(filmed.film), read_search(*_arguments(filmed))
    wide, *narrow = (
        architecture_figure(space, one, filmed.label, run.roles, columns=columns)
        for columns in ((2, 1) if space.edges else (2,))
    )
    return wide, narrow[0] if narrow else None


def parallel_chart(filmed: FilmedSearch) -> go.Figure:
    """Return every evaluation as a line across its decisions."""
    one, table = (
        read_search(*_arguments(filmed)),
        known_accuracies(filmed.film, filmed.search),
    )
    worth = one.signal if table is None else table[one.index]
    return parallel_figure(Space.from_film(filmed.film), one.index, worth, filmed.label)


def _arguments(filmed: FilmedSearch) -> tuple[Artefact, str, int]:
    return filmed.film, filmed.label, filmed.search


def has_policy(filmed: FilmedSearch) -> bool:
    """Whether the strategy has a policy."""
    return f"{filmed.label}/policy" in filmed.film.arrays


def favors_chart(run: Run, filmed: FilmedSearch) -> go.Figure:
    """Return what a strategy's policy favors, evaluation by evaluation."""
    return policy_film(filmed.film, filmed.label, run.roles)


def policy_chart(filmed: FilmedSearch) -> go.Figure:
    """Return a strategy's policy along the whole search."""
    return policy_figure(filmed.film, filmed.label)


def pareto_chart(run: Run, filmed: FilmedSearch, name: str) -> go.Figure:
    """Return accuracy against a property.

    Args:
        run: The run.
        filmed: The search.
        name: The property, one of `tradeoff_properties`.
    """
    film, table = filmed.film, known_accuracies(filmed.film, filmed.search)
    assert table is not None  # else `tradeoff_properties` is empty
    unit = str(film.info["properties"][name])
    held = CostProperty(name, unit, film.arrays[f"property/{name}"])
    found = {
        label: read_search(film, label, filmed.search).index
        for label in filmed_labels(run, film)
    }
    return pareto_figure(table, held, found, run.roles)


def tradeoff_properties(filmed: FilmedSearch) -> list[str]:
    """Return the properties to set against accuracy; none if a side is unknown."""
    film = filmed.film
    if known_accuracies(film, filmed.search) is None:
        return []
    known = map(str, film.info.get("properties", {}))
    return [name for name in known if f"property/{name}" in film.arrays]


def first_films(run: Run) -> Iterator[ResponsiveFigure]:
    """Yield the charts of the first recorded search of each film."""
    for name in FILMS:
        film = run.film(name)
        labels = filmed_labels(run, film) if film is not None else []
        if film is None or not labels:
            continue
        filmed = FilmedSearch(film, 0, labels[0])
        yield ResponsiveFigure(name, *architecture_figures(run, filmed))
        for trade in tradeoff_properties(filmed)[:1]:
            yield ResponsiveFigure(f"{name}.pareto", pareto_chart(run, filmed, trade))
        yield ResponsiveFigure(f"{name}.lines", parallel_chart(filmed))
        if has_policy(filmed):
            yield ResponsiveFigure(f"{name}.favors", favors_chart(run, filmed))
            yield ResponsiveFigure(f"{name}.policy", policy_chart(filmed))
