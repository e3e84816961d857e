"""Charts of search runs: pure functions from a run to figures.

Searches of an untrained strategy are independent, so its intervals are over all of
them; a trained strategy has intervals over its trainings, or, with a single one, over
its searches.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.charts import CHARTS, KindCharts, optimization, training
from app.charts.chart_options import (
    HEIGHT,
    NamedFigure,
    ResponsiveFigure,
    ViewState,
)
from app.charts.figure_cache import get_or_make
from app.charts.search_films import first_films
from app.client.client import Run
from app.figures.curves import curves_figure
from app.figures.figure_parts import log_axis
from app.figures.figure_types import CurveOptions
from app.figures.survival import SurvivalWords, survival_figure
from app.figures.theme import INTERVAL_NAME, PERCENT, format_number
from engine.contract.events import Block
from engine.contract.kinds import SEARCH
from engine.stats.block_table import is_trained
from engine.stats.curves import Curve
from engine.stats.independent_units import goal_survival, regroup_units
from engine.stats.inference.metric_intervals import metric_band
from engine.stats.search.efficiency import values_at_cost

GOAL = "goal"
FOUND = ("regret", "score", GOAL, "signal")
STRATEGY = ("entropy", "value_loss", "explained_variance")
STEPS, PRICES = SEARCH.words.step, 160
HOW_TO_READ = (
    f"Line: mean over searches. Band: {INTERVAL_NAME}, over searches for "
    "untrained strategies "
)
HOW_TO_READ += "and over trainings for trained ones."
_METRIC_WORDS = {
    "score": " Higher is better; searches that found nothing yet are left out.",
    "regret": " Lower is better: distance from the best architecture of the space.",
    "signal": " Each evaluation by itself, as long as half of the searches are "
    "running.",
    "entropy": " It falls as the policy converges; 0: deterministic.",
    "value_loss": " Lower: the value function predicts returns better.",
    "explained_variance": " 1: perfect prediction; 0 or less: no better than the mean.",
}

_TITLES = {
    "score": "Best accuracy so far",
    "regret": "Regret of the best so far",
    "signal": "What each evaluation showed",
}


def main_charts(run: Run, view_state: ViewState) -> Iterator[NamedFigure]:
    """Yield the main charts: of the tests if there are any, else of training."""
    if not optimization.run_conditions(run):
        yield from progress_charts(run)
        return
    for metric in view_state.metrics:
        made = _cached_chart(run, metric, view_state)
        if made is not None:
            yield NamedFigure(metric, made)


def _cached_chart(run: Run, metric: str, view_state: ViewState) -> go.Figure | None:
    def make() -> go.Figure | None:
        return (
            goal_chart(run, view_state)
            if metric == GOAL
            else metric_chart(run, metric, view_state)
        )

    return get_or_make(
        ("search", run.cache_key, metric, view_state._replace(metrics=())), make
    )


def progress_charts(run: Run) -> Iterator[NamedFigure]:
    """Yield the charts before the tests: latest validation, then meta-training."""
    yield from training.validation_charts(run, STEPS)
    trained = training.meta_training_chart(run, run.kind.metrics.training[:2])
    if trained is not None:
        yield NamedFigure("training", trained)


def available_metrics(run: Run, metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the metrics that the tests have for some strategy."""
    there = {block.metric for block in run.blocks if block.phase == "test"}
    there |= {GOAL} if "evaluations_to_goal" in there else set()
    return tuple(metric for metric in metrics if metric in there)


def metric_chart(run: Run, metric: str, view_state: ViewState) -> go.Figure | None:
    """Return a metric of every strategy against evaluations, or their price."""
    found = optimization.meta_test_blocks(run, metric, view_state.condition)
    if not found:
        return None
    priced = view_state.x == "price"
    lines = [strategy_curve(run, block, view_state) for block in found]
    shown = [line for line in lines if line is not None]
    view = CurveOptions(
        log_y=view_state.log if metric == "regret" else None,
        x_title=f"Price so far ({cost_unit(run)})" if priced else STEPS,
        height=HEIGHT,
    )
    made = curves_figure(shown, metric, run.roles, view)
    _format_axes(made, metric, shown)
    title = _TITLES.get(metric, made.layout.meta["title"])
    words = {
        "how_to_read": HOW_TO_READ + _METRIC_WORDS.get(metric, ""),
        "once": HOW_TO_READ,
        "title": title,
    }
    return made.update_layout(meta={**made.layout.meta, **words})


def _format_axes(figure: go.Figure, metric: str, shown: list[Curve]) -> None:
    """Set ranges and tick formats fine enough for a search."""
    if metric == "score":
        figure.update_yaxes(range=_score_range(shown))
    if metric == "regret" and figure.layout.yaxis.type == "log":
        figure.update_yaxes(_regret_axis(shown))
    if metric == "explained_variance":  # its first values are arbitrary
        figure.update_yaxes(range=[-1.05, 1.05])
    if metric == "value_loss":
        for note in figure.select_annotations():
            note.text = note.text.replace("squared return", "squared")


def _score_range(lines: list[Curve]) -> list[float]:
    """Return a y range without the first jumps, which would flatten the rest."""
    lows = [np.nanmin(line.low[len(line.x) // 15 :]) for line in lines]
    low, high = min(lows), max(float(np.nanmax(line.high)) for line in lines)
    # All searches may agree; an axis needs a positive range.
    room = 0.06 * max(high - low, 1e-4)
    return [float(low - room), float(high + room)]


def _regret_axis(lines: list[Curve]) -> dict[str, Any]:
    """Return a log axis that is not stretched by a band close to 0."""
    means, lows, highs = (
        np.concatenate([np.asarray(getattr(line, end)) for line in lines])
        for end in ("mean", "low", "high")
    )
    means, lows = (rows[np.isfinite(rows) & (rows > 0)] for rows in (means, lows))
    if not len(means):
        return {"tickformat": PERCENT}
    floor = float(means.min())
    low = max(float(lows.min(initial=floor)), floor / 3)
    ends = np.array([low, np.nanmax(highs)])
    reach = np.log10(ends) + np.array([-0.05, 0.05])
    return {**log_axis(ends), "range": reach.tolist(), "tickformat": PERCENT}


def strategy_curve(run: Run, block: Block, view_state: ViewState) -> Curve | None:
    """Return a strategy's mean with its interval, along evaluations or prices."""
    table, values = run.table, np.asarray(block.array, dtype=np.float64)
    x = np.asarray(block.coordinates("step"), dtype=np.float64)
    if view_state.x == "price":
        spent = table.block(block.learner, "test", "spent", view_state.condition)
        if spent is None or spent.array.shape != values.shape:
            return None
        prices = np.asarray(spent.array, dtype=np.float64)
        x = np.linspace(0.0, float(np.nanmax(prices)), PRICES)
        values = values_at_cost(values, prices, x)
    trained = is_trained(table, run.spec, block.learner)
    band = metric_band(block.metric, regroup_units(values, trained=trained))
    n = int(band.n.max()) if band.n.size else 0
    # A few remaining searches do not represent the others.
    gone = np.isfinite(values).mean((0, 1)) < 0.5
    mean, low, high = (np.where(gone, np.nan, part) for part in band[:3])
    return Curve(block.learner, x, mean, low, high, n=n)


def cost_unit(run: Run) -> str:
    """Return the unit of a training's price."""
    film = run.film("film") if run.is_recorded or not run.is_alive else None
    return str(film.info.get("cost_unit", "") if film else "") or "unit of the space"


def goal_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return the share of searches without a good architecture so far."""
    table = run.table
    found = {
        label: goal_survival(table, run.spec, label, view_state.condition)
        for label in run.roles
    }
    arrivals = {label: curve for label, curve in found.items() if curve is not None}
    if not arrivals:
        return None
    share = float(run.spec.family.knobs.get("goal", 0.01))  # type: ignore[arg-type]
    words = SurvivalWords(
        "Evaluations to the goal",
        STEPS,
        f"Not yet among the best {format_number(100 * share)} %",
    )
    return survival_figure(arrivals, run.roles, words=words, height=HEIGHT)


def _in_distribution(run: Run, block: Block, capped: bool) -> Curve | None:
    return strategy_curve(run, block, ViewState())


def _space_charts(run: Run) -> Iterator[ResponsiveFigure]:
    from app.charts import search_space  # when asked for, to keep the first paint fast

    return search_space.space_charts(run)


CHARTS[SEARCH.name] = KindCharts(
    main_charts,
    metrics=(*FOUND, *STRATEGY),
    films=first_films,
    how_to_read=HOW_TO_READ,
    line=_in_distribution,
    spent=("Architectures", "Architectures trained"),
    space_charts=_space_charts,
)
