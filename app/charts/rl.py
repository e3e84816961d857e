"""Charts of agents: pure functions from a run to figures."""

from collections.abc import Iterable, Iterator

import numpy as np
import plotly.graph_objects as go

from app.charts import CHARTS, KindCharts, optimization, training
from app.charts.chart_options import HEIGHT, NamedFigure, ViewState
from app.charts.figure_cache import get_or_make
from app.charts.trial_films import first_films
from app.client.client import Run
from app.figures.curves import add_level_line, curves_figure
from app.figures.figure_types import CurveOptions, Floats
from engine.contract.events import Condition
from engine.contract.kinds import RL
from engine.contract.metrics import METRICS
from engine.stats import curves
from engine.stats.curves import Curve

EARNED = ("episode_regret", "episode_return")
SWITCHES = ("switch_after_loss", "switch_after_win")
BEHAVIOR = (
    "best_action",
    *SWITCHES,
    "cells",
    "policy_entropy",
    "episode_length",
)
PARTS = 20  # long trials are averaged over this part of them
FEW = 8  # episodes that each have a tick
BEST = " Dashed: best possible."


def main_charts(run: Run, view_state: ViewState) -> Iterator[NamedFigure]:
    """Yield the main charts: of the tests if there are any, else of training."""
    if not optimization.run_conditions(run):
        yield from _progress_charts(run)
        return
    for metric in view_state.metrics:
        made = _cached_chart(run, metric, view_state)
        if made is not None:
            yield NamedFigure(metric, made)


def _cached_chart(run: Run, metric: str, view_state: ViewState) -> go.Figure | None:
    def make() -> go.Figure | None:
        return metric_chart(run, metric, view_state)

    place = ("rl", run.cache_key, metric, view_state._replace(metrics=()))
    return get_or_make(place, make)


def _progress_charts(run: Run) -> Iterator[NamedFigure]:
    """Yield the charts before the tests: latest validation, then meta-training."""
    yield from training.validation_charts(run, RL.words.step)
    trained = training.meta_training_chart(run, run.kind.metrics.training[:2])
    if trained is not None:
        yield NamedFigure("training", trained)


def metric_chart(run: Run, metric: str, view_state: ViewState) -> go.Figure | None:
    """Return a metric of every agent against the episodes of a trial."""
    condition = view_state.condition
    lines = _lines(run, metric, condition)
    if not lines:
        return None
    view = CurveOptions(
        x_title=RL.words.step, height=HEIGHT, smooth=_past_weight(run, view_state)
    )
    made = curves_figure(lines, metric, run.roles, view)
    if metric in SWITCHES:
        _add_words(made, f" {METRICS[metric].help}")
    if run.spec.budget.horizon <= FEW:
        made.update_xaxes(dtick=1)  # no half episodes
    best = _best_return(run, condition) if metric == "episode_return" else None
    if best is not None:
        add_level_line(made, best)
        _add_words(made, BEST)
        _include_level(made, best)
    return made


def smoothed_episodes(run: Run) -> int:
    """Return over how many episodes long trials are averaged; 1 if they are short."""
    return max(1, run.spec.budget.horizon // PARTS)


def _past_weight(run: Run, view_state: ViewState) -> float:
    """Return the weight of the past of a moving average over so many episodes."""
    return 1 - 1 / smoothed_episodes(run) if view_state.smooth else 0.0


def _lines(run: Run, metric: str, condition: Condition) -> list[Curve]:
    found = optimization.meta_test_blocks(run, metric, condition)
    return [curves.make_curve(block, capped=False) for block in found]


def _best_return(run: Run, condition: Condition) -> float | None:
    """Return what the best policy that knows the task would earn per episode.

    A return and its regret add up to it, up to luck, which the mean over agents and
    episodes leaves little of.
    """
    level = 0.0
    for metric in EARNED:
        found = _finite(line.mean for line in _lines(run, metric, condition))
        if not len(found):
            return None
        level += float(found.mean())
    return level


def _finite(arrays: Iterable[Floats]) -> Floats:
    """Return the finite numbers of arrays, one after another."""
    values = np.concatenate([np.zeros(0), *arrays])
    return values[np.isfinite(values)]


def _include_level(figure: go.Figure, level: float) -> None:
    """Widen a cut axis up to a level; one that is not cut shows all that is drawn."""
    ends = figure.layout.yaxis.range
    if ends is not None:
        figure.update_yaxes(range=[min(ends[0], level), max(ends[1], level)])


def _add_words(figure: go.Figure, words: str) -> None:
    meta = figure.layout.meta
    figure.update_layout(meta={**meta, "how_to_read": meta["how_to_read"] + words})


CHARTS[RL.name] = KindCharts(
    main_charts,
    metrics=(*EARNED, *BEHAVIOR),
    films=first_films,
    spent=("Episodes", "Episodes played"),
)
