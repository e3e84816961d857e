"""Charts of agents: pure functions from a run to figures."""

from collections.abc import Iterator

import plotly.graph_objects as go

from app.charts import CHARTS, KindCharts, optimization, training
from app.charts.chart_options import HEIGHT, NamedFigure, ViewState
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.curves import curves_figure
from app.figures.figure_types import CurveOptions
from engine.contract.kinds import RL
from engine.stats import curves

EARNED = ("episode_return", "episode_regret")
BEHAVIOR = ("best_action", "cells", "policy_entropy", "episode_length")


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

    if run.is_alive:
        return make()
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
    found = optimization.meta_test_blocks(run, metric, view_state.condition)
    if not found:
        return None
    lines = [curves.make_curve(block, capped=False) for block in found]
    shown = [line for line in lines if line is not None]
    view = CurveOptions(x_title=RL.words.step, height=HEIGHT)
    return curves_figure(shown, metric, run.roles, view)


CHARTS[RL.name] = KindCharts(main_charts)
