"""Every figure of a run as its page first shows it, part by part of the page."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from app.charts import (
    CHARTS,
    claim_forests,
    learner_internals,
    optimization,
    per_task,
    training,
)
from app.charts.chart_options import FILMS, ResponsiveFigure, ViewState
from app.client.client import Run
from app.figures.cost_bars import ledger_figure
from app.figures.shift import severity_figure
from engine.contract.learner_appearance import name_in_words

MakeFigures = Callable[[Run], Iterator[ResponsiveFigure]]


def page_parts(run: Run) -> list[str]:
    """Return the parts of a run's page that may have figures; none is built."""
    return [name for name, (fits, _) in _PARTS.items() if fits(run)]


def part_figures(run: Run, part: str) -> dict[str, ResponsiveFigure]:
    """Build the figures of a part.

    Args:
        run: The run.
        part: One of `page_parts`.

    Returns:
        By title, in the order of the page.
    """
    return name_by_title(_PARTS[part][1](run))


def name_by_title(
    figures: Iterable[ResponsiveFigure],
) -> dict[str, ResponsiveFigure]:
    """Return figures by title; one that repeats says of what it is."""
    found: dict[str, ResponsiveFigure] = {}
    for each in figures:
        title = (each.wide.layout.meta or {}).get("title") or name_in_words(each.name)
        if title in found:
            title = f"{title} · {_tell_apart(each.name)}"
        found[title] = each
    return found


def _tell_apart(name: str) -> str:
    """Return the condition of a film's chart, else the last part of its name."""
    first, _, _ = name.partition(".")
    return FILMS.get(first) or name_in_words(name.rpartition(".")[2])


def _main_charts(run: Run) -> Iterator[ResponsiveFigure]:
    charts = CHARTS[run.kind.name]
    view_state = ViewState(metrics=charts.metrics)
    for chart in charts.main_charts(run, view_state):
        yield ResponsiveFigure(chart.name, chart.figure)


def _films(run: Run) -> Iterator[ResponsiveFigure]:
    return CHARTS[run.kind.name].films(run)


def _claims(run: Run) -> Iterator[ResponsiveFigure]:
    for learner, metric in claim_forests.claims_by_learner(run):
        made = claim_forests.forest_chart(run, learner, metric)
        yield ResponsiveFigure(f"forest.{learner}.{metric}", made)


def _per_task(run: Run) -> Iterator[ResponsiveFigure]:
    for metric in per_task.per_task_metrics(run, ViewState()):
        spread = per_task.spread_chart(run, metric, ViewState())
        yield ResponsiveFigure(f"spread.{metric}", spread)
        profile = per_task.profile_chart(run, metric, ViewState())
        yield ResponsiveFigure(f"profile.{metric}", profile)


def _training_charts(run: Run) -> Iterator[ResponsiveFigure]:
    for name, made in (
        ("meta_training", training.meta_training_chart(run)),
        ("tuning", training.tuning_chart(run)),
        ("scales", optimization.scale_chart(run, ViewState())),
    ):
        if made is not None:
            yield ResponsiveFigure(name, made)
    seen = learner_internals.embedding_chart(run)
    if seen is not None:
        yield seen
    yield from learner_internals.map_charts(run)
    yield from learner_internals.inside_charts(run)


def _shifts(run: Run) -> Iterator[ResponsiveFigure]:
    for metric in run.kind.metrics.by_severity:
        found = optimization.severity_curves(run, metric)
        if found:
            made = severity_figure(found, metric, run.roles)
            yield ResponsiveFigure(f"severity.{metric}", made)


def _cost(run: Run) -> Iterator[ResponsiveFigure]:
    ledger = (run.summary or {}).get("ledger", {})
    spent = CHARTS[run.kind.name].spent
    yield ResponsiveFigure("ledger", ledger_figure(ledger, run.roles, spent))


def _space(run: Run) -> Iterator[ResponsiveFigure]:
    make = CHARTS[run.kind.name].space_charts
    return make(run) if make else iter(())


def _has_rows(run: Run) -> bool:
    return bool(run.blocks)


def _is_tested(run: Run) -> bool:
    return bool(optimization.run_conditions(run))


def _has_summary(run: Run) -> bool:
    return run.summary is not None


_PARTS: Mapping[str, tuple[Callable[[Run], bool], MakeFigures]] = {
    "Main charts": (_has_rows, _main_charts),
    "Films": (lambda run: bool(run.film_names), _films),
    "Claims": (_has_summary, _claims),
    "Per task": (_is_tested, _per_task),
    "Shifts": (
        lambda run: any(c.shift for c in optimization.run_conditions(run)),
        _shifts,
    ),
    "Training": (_has_rows, _training_charts),
    "Cost": (_has_summary, _cost),
    "Search space": (
        lambda run: CHARTS[run.kind.name].space_charts is not None,
        _space,
    ),
}
