"""One figure of a run by the name that a link gives it."""

from app.charts import run_figures
from app.charts.chart_options import ResponsiveFigure
from app.charts.figure_cache import get_or_make
from app.client.client import Run

FILM = "film"
_FILMS, _MAIN = "Films", "Main charts"


def find_figure(run: Run, name: str) -> ResponsiveFigure | None:
    """Return a figure of a run; None if it has no such figure.

    Args:
        run: The run.
        name: Its chart's name, such as "loss", or its title as in `title_in_link`;
            "film" is the first film, and an empty name what the verdict is about.
    """
    if not name:
        return deciding_chart(run)
    parts = run_figures.page_parts(run)
    if name.startswith(FILM):  # they need not wait for all charts
        parts.sort(key=lambda part: part != _FILMS)
    for part in parts:
        found = _part_figures(run, part)
        if name == FILM and part == _FILMS:
            return next(iter(found.values()), None)
        for title, figure in found.items():
            # Charts of one title are told apart after a dot.
            titles = (title, title.partition(" · ")[0])
            if name in (figure.name, *map(title_in_link, titles)):
                return figure
    return None


def deciding_chart(run: Run) -> ResponsiveFigure | None:
    """Return the chart of what the verdict is about, else the first of a run."""
    if _MAIN not in run_figures.page_parts(run):
        return None
    charts = _part_figures(run, _MAIN).values()
    traced = run.table.criterion.trace
    return next(iter((*(c for c in charts if c.name == traced), *charts)), None)


def figure_names(run: Run) -> list[str]:
    """Return the names of a run's films and main charts, as links have them."""
    names = [FILM] if run.film_names else []
    if _MAIN in run_figures.page_parts(run):
        names += [c.name for c in _part_figures(run, _MAIN).values()]
    return names


def _part_figures(run: Run, part: str) -> dict[str, ResponsiveFigure]:
    """Return a part's figures; of an ended run made once, whatever links ask for."""
    if run.is_alive:
        return run_figures.part_figures(run, part)
    key = ("part", run.cache_key, part)
    return get_or_make(key, lambda: run_figures.part_figures(run, part))


def title_in_link(title: str) -> str:
    """Return a figure's title as a link has it.

    >>> title_in_link("Training loss by step · Shifted")
    'training-loss-by-step-shifted'
    """
    words = "".join(c if c.isalnum() else " " for c in title.lower()).split()
    return "-".join(words)
