"""A run of searches and a way of looking at it → figures; pure, drawn elsewhere.

Searches of a strategy that was not trained share nothing, so its intervals are over
all of them; what was trained has intervals over its trainings, or, of a single one,
over its searches.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.charts import CHARTS, Charts, optimization, training
from app.charts.figure_cache import kept
from app.charts.view_state import HEIGHT, Look, Picture
from app.client.client import Run
from app.figures import curves as drawn
from app.figures.canvas import log_axis
from app.figures.curves import Words
from app.figures.figure_types import View
from app.figures.theme import LEVEL, number
from engine.contract.blocks import Block
from engine.contract.kinds import SEARCH
from engine.contract.metrics import METRICS
from engine.stats.block_table import is_trained
from engine.stats.curves import Curve
from engine.stats.independent_units import freed, waiting
from engine.stats.inference.metric_levels import level_band
from engine.stats.search.efficiency import held

GOAL = "goal"
FOUND = ("score", "regret", GOAL, "signal")
STRATEGY = ("entropy", "value_loss", "explained_variance")
STEPS, PRICES = SEARCH.words.step, 160
PERCENT = ".3~%"
READ = (
    f"Line: mean over searches. Band: {LEVEL}, over searches of what was not trained "
)
READ += "and over trainings of what was."
_WORDS = {
    "score": " Higher is better; what has found nothing yet is not counted.",
    "regret": " Lower is better: how far from the best architecture there is.",
    "signal": " Each training by itself, as long as half of the searches still train.",
    "entropy": " It falls as the strategy makes up its mind; 0: always the same.",
    "value_loss": " Lower: the value function foresees what a training will give.",
    "explained_variance": " 1: it foresees all; at 0 or below: no more than a mean.",
}

_TITLES = {
    "score": "Best accuracy so far",
    "regret": "Regret of the best so far",
    "signal": "What each evaluation showed",
}


def grid(run: Run, look: Look) -> Iterator[Picture]:
    """Yield the main pictures: tests where there are any, else what is under way."""
    if not optimization.conditions(run):
        yield from under_way(run)
        return
    for metric in look.metrics:
        made = _kept(run, metric, look)
        if made is not None:
            yield Picture(metric, made)


def _kept(run: Run, metric: str, look: Look) -> go.Figure | None:
    def make() -> go.Figure | None:
        return goal(run, look) if metric == GOAL else trace(run, metric, look)

    if run.alive:
        return make()
    return kept(("search", run.edition, metric, look._replace(metrics=())), make)


def under_way(run: Run) -> Iterator[Picture]:
    """Yield what can be seen before the tests: newest check, then meta-training."""
    yield from training.newest_check(run, STEPS)
    trained = training.meta_training(run, run.kind.metrics.training[:2])
    if trained is not None:
        yield Picture("training", trained)


def traced(run: Run, metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the metrics that some strategy of the run has in its tests."""
    there = {block.metric for block in run.blocks if block.phase == "test"}
    there |= {GOAL} if "evaluations_to_goal" in there else set()
    return tuple(metric for metric in metrics if metric in there)


def trace(run: Run, metric: str, look: Look) -> go.Figure | None:
    """Return one metric of every strategy against evaluations, or their price."""
    found = optimization.tests(run, metric, look.condition)
    if not found:
        return None
    priced = look.x == "price"
    lines = [placed(run, block, look) for block in found]
    shown = [line for line in lines if line is not None]
    view = View(
        log_y=look.log if metric == "regret" else None,
        x_title=f"Price so far ({unit(run)})" if priced else STEPS,
        height=HEIGHT,
    )
    made = drawn.curves_figure(shown, metric, run.roles, view)
    _finish(made, metric, shown)
    title = _TITLES.get(metric, made.layout.meta["title"])
    words = {"how_to_read": READ + _WORDS.get(metric, ""), "once": READ, "title": title}
    return made.update_layout(meta={**made.layout.meta, **words})


def _finish(made: go.Figure, metric: str, shown: list[Curve]) -> None:
    """Show what a search's numbers differ in; shares in percent, as the verdict."""
    if METRICS[metric].share:
        made.update_yaxes(tickformat=PERCENT)
        for line in made.select_traces(lambda trace: trace.hovertemplate):
            line.hovertemplate = line.hovertemplate.replace(".3g", ".2%")
        for note in made.select_annotations():
            note.text = note.text.replace(" (share)", "")
    if metric == "score":
        made.update_yaxes(range=_window(shown))
    if metric == "regret" and made.layout.yaxis.type == "log":
        made.update_yaxes(_decades(shown))
    if metric == "explained_variance":  # its first values may be anything
        made.update_yaxes(range=[-1.05, 1.05])
    if metric == "value_loss":
        for note in made.select_annotations():
            note.text = note.text.replace("squared ln nats", "squared")


def _window(lines: list[Curve]) -> list[float]:
    """Return a range that leaves out the first steps up, which would flatten all."""
    lows = [np.nanmin(line.low[len(line.x) // 15 :]) for line in lines]
    low, high = min(lows), max(float(np.nanmax(line.high)) for line in lines)
    room = 0.06 * max(high - low, 1e-4)
    return [float(low - room), float(high + room)]


def _decades(lines: list[Curve]) -> dict[str, Any]:
    """Return a log axis that a band which nearly comes to 0 does not stretch."""
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


def placed(run: Run, block: Block, look: Look) -> Curve | None:
    """Return a strategy's mean with its interval, along evaluations or prices."""
    table, values = run.table, np.asarray(block.array, dtype=np.float64)
    x = np.asarray(block.positions("step"), dtype=np.float64)
    if look.x == "price":
        spent = table.block(block.learner, "test", "spent", look.condition)
        if spent is None or spent.array.shape != values.shape:
            return None
        prices = np.asarray(spent.array, dtype=np.float64)
        x = np.linspace(0.0, float(np.nanmax(prices)), PRICES)
        values = held(values, prices, x)
    trained = is_trained(table, run.spec, block.learner)
    band = level_band(block.metric, freed(values, trained=trained))
    n = int(band.n.max()) if band.n.size else 0
    # What only few searches still do says nothing of the others.
    gone = np.isfinite(values).mean((0, 1)) < 0.5
    mean, low, high = (np.where(gone, np.nan, part) for part in band[:3])
    return Curve(block.learner, x, mean, low, high, n=n)


def unit(run: Run) -> str:
    """Return what trainings are paid in."""
    film = run.film("film") if run.recorded or not run.alive else None
    return str(film.info.get("cost_unit", "") if film else "") or "unit of the space"


def goal(run: Run, look: Look) -> go.Figure | None:
    """Return the share of searches that have not found a good architecture yet."""
    table = run.table
    found = {
        label: waiting(table, run.spec, label, look.condition) for label in run.roles
    }
    arrivals = {label: curve for label, curve in found.items() if curve is not None}
    if not arrivals:
        return None
    share = float(run.spec.family.knobs.get("goal", 0.01))  # type: ignore[arg-type]
    words = Words(
        "Evaluations to the goal",
        STEPS,
        f"Not yet among the best {number(100 * share)} %",
    )
    return drawn.survival_figure(arrivals, run.roles, words=words, height=HEIGHT)


def _in_distribution(run: Run, block: Block) -> Curve | None:
    return placed(run, block, Look())


CHARTS[SEARCH.name] = Charts(grid, READ, _in_distribution)
