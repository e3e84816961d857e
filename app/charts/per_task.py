"""Charts of each task's result, every learner beside the others."""

import numpy as np
import plotly.graph_objects as go

from app.charts.chart_options import ViewState
from app.charts.figure_cache import cache_by_run
from app.client.client import Run
from app.figures.learner_comparison import profile_figure, spread_figure
from engine.contract.metrics import METRICS
from engine.stats.inference.profiles import performance_profile


def per_task_metrics(run: Run, view_state: ViewState) -> list[str]:
    """Return the metrics that the tests have for each task."""
    known = run.kind.metrics.per_task
    return [name for name in known if test_values(run, name, view_state)]


def test_values(run: Run, metric: str, view_state: ViewState) -> dict[str, np.ndarray]:
    """Return a metric per task and learner, NaN where it only holds a cap."""
    rule, at = run.table.criterion, view_state.condition
    found = {label: run.table.test_values(label, metric, at) for label in run.roles}
    known = {label: values for label, values in found.items() if values is not None}
    if metric == rule.beside:
        caps = {label: run.table.test_values(label, "reached", at) for label in known}
        return {label: _blank(rows, caps[label], 0.0) for label, rows in known.items()}
    if metric == "error" and not rule.share:
        caps = {label: run.table.test_values(label, "diverged", at) for label in known}
        return {label: _blank(rows, caps[label], 1.0) for label, rows in known.items()}
    return known


def _blank(values: np.ndarray, flags: np.ndarray | None, flag: float) -> np.ndarray:
    """Return values with NaN where the flags have this value."""
    return values if flags is None else np.where(flags == flag, np.nan, values)


@cache_by_run
def spread_chart(
    run: Run, metric: str, view_state: ViewState, *, paired: bool = False
) -> go.Figure:
    """Return a metric's values, one dot per task and learner.

    Args:
        run: The run.
        metric: One of `per_task_metrics`.
        view_state: Gives the condition.
        paired: Whether the dots of a task are connected.
    """
    gap = "not reached" if metric == run.table.criterion.beside else "diverged"
    values = test_values(run, metric, view_state)
    return spread_figure(values, metric, run.roles, paired=paired, gap=gap)


@cache_by_run
def profile_chart(run: Run, metric: str, view_state: ViewState) -> go.Figure:
    """Return the share of tasks that are at least as good as each level."""
    values = test_values(run, metric, view_state)
    every = np.concatenate([v.ravel() for v in values.values()])
    every = every[np.isfinite(every)]
    low, high = (every.min(), every.max()) if len(every) else (0.0, 1.0)
    positive = METRICS[metric].scale == "log" and low > 0
    levels = np.geomspace(low, high, 120) if positive else np.linspace(low, high, 120)
    bands = {label: performance_profile(v, levels) for label, v in values.items()}
    return profile_figure(bands, levels, metric, run.roles)
