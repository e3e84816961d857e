"""Charts of training: latest validation, meta-training, tuning."""

from collections.abc import Iterable, Iterator

import numpy as np
import plotly.graph_objects as go

from app.charts.chart_options import HEIGHT, NamedFigure
from app.charts.figure_cache import cache_by_run
from app.client.client import Run
from app.figures import curves as drawn
from app.figures import meta_training
from app.figures.figure_types import CurveOptions, Floats, TuningCurve
from engine.contract.events import Block
from engine.contract.metrics import METRICS
from engine.stats import curves as stats
from engine.stats.block_table import BlockTable, geometric_mean, tuned_rates
from engine.stats.curves import Curve
from engine.stats.inference.bounded_intervals import fit_band
from engine.stats.inference.intervals import mean_band
from engine.stats.inference.metric_intervals import EITHER, metric_band


def has_class_answers(run: Run) -> bool:
    """Whether a run's episodes are classification, by the metrics it has."""
    return any(block.metric == "query_accuracy" for block in run.blocks)


def progress_charts(run: Run) -> Iterable[NamedFigure]:
    """Yield the charts before the tests: latest validation, training, tuning."""
    yield from validation_charts(run)
    trained = meta_training_chart(run, run.kind.metrics.training[:2])
    if trained is not None:
        yield NamedFigure("training", trained)
    rates = tuning_chart(run)
    if rates is not None:
        yield NamedFigure("tuning", rates)


@cache_by_run
def validation_charts(run: Run, x_title: str = "Step") -> tuple[NamedFigure, ...]:
    """Return the curves of the latest validation, for every learner."""
    return tuple(_validation_charts(run, x_title))


def _validation_charts(run: Run, x_title: str) -> Iterator[NamedFigure]:
    for metric in run.kind.metrics.checks:
        found = [b for b in run.blocks if b.phase == "validate" and b.metric == metric]
        lines = extend_points(stats.make_curves(found, metric, "validate"))
        if lines:
            view = CurveOptions(height=HEIGHT, x_title=x_title)
            made = drawn.curves_figure(lines, metric, run.roles, view)
            title = f"{METRICS[metric].label}, latest validation"
            yield NamedFigure(f"check.{metric}", set_title(made, title))


def extend_points(lines: Iterable[stats.Curve]) -> list[stats.Curve]:
    """Extend single points to level lines as long as the other curves.

    Args:
        lines: Curves; those of learners without steps have one point.

    Returns:
        The curves in the same order; those of one point now have two.
    """
    every = list(lines)
    ends = [float(line.x[-1]) for line in every if len(line.x)]
    # If no learner takes steps, level lines still need a length.
    last = max(ends, default=0.0) or 1.0
    return [_as_level_line(line, last) if len(line.x) == 1 else line for line in every]


def _as_level_line(line: stats.Curve, last: float) -> stats.Curve:
    names = ("mean", "low", "high", "missing_counts")
    twice = {name: np.repeat(getattr(line, name), 2) for name in names}
    return line._replace(x=np.array([0.0, last]), **twice)


def clarify_units(run: Run, figure: go.Figure) -> go.Figure:
    """Replace a metric's alternative units by the one that the run has."""
    right = has_class_answers(run)
    if not right and not any(block.metric == "query_mse" for block in run.blocks):
        return figure
    units = {"share wrong or MSE": "share wrong" if right else "MSE"}
    units["nats or MSE"] = "nats" if right else "MSE"
    places = [*figure.layout.annotations]
    places += [axis.title for axis in (*figure.select_xaxes(), *figure.select_yaxes())]
    for place in places:
        for two, one in units.items():
            place.text = (place.text or "").replace(f"({two})", f"({one})")
    return figure


def set_title(figure: go.Figure, title: str) -> go.Figure:
    """Give a figure another title."""
    figure.update_layout(meta={**figure.layout.meta, "title": title})
    return figure


@cache_by_run
def meta_training_chart(run: Run, metrics: tuple[str, ...] = ()) -> go.Figure | None:
    """Return the meta-training curves; None before the first validation."""
    panels: dict[str, list[Curve]] = {}
    for metric in metrics or run.kind.metrics.training:
        for label in run.roles:
            line = training_curve(run.table, label, metric)
            if line is not None:
                panels.setdefault(metric, []).append(line)
    if not panels:
        return None
    best = _best_meta_step(run.table, run.judged_label, run.kind.metrics.validation)
    squares = any(block.metric == "query_mse" for block in run.blocks)
    logs = {run.kind.metrics.validation} if squares else set[str]()
    made = meta_training.meta_training_figure(panels, run.roles, best, logs=logs)
    return clarify_units(run, made)


def training_curve(table: BlockTable, label: str, metric: str) -> Curve | None:
    """Return a metric along one learner's meta-training; None without data."""
    phases = ("validate", "train")
    found = [s for p in phases if (s := table.series(label, p, metric)) is not None]
    if not found:
        return None
    # Before the tests only the validation tells classes from values.
    share = any(block.metric == "query_accuracy" for block in table.blocks)
    band = metric_band(metric, found[0].values[:, None], share=share)
    n = int(band.n.max()) if band.n.size else 0
    return Curve(label, found[0].step, band.mean, band.low, band.high, n=n)


def _best_meta_step(table: BlockTable, label: str, metric: str) -> float | None:
    """Return the meta-step of the best mean validation score."""
    series = table.series(label, "validate", metric)
    if series is None or not np.isfinite(series.values).any():
        return None
    means = np.nanmean(series.values, axis=0)
    return float(series.step[int(np.nanargmin(means))])


@cache_by_run
def tuning_chart(run: Run) -> go.Figure | None:
    """Return the tuning curves; None if no rate was tuned."""
    name = run.kind.metrics.tuning
    shares = run.table.criterion.share and METRICS[name].unit == EITHER
    ends = (0.0, 1.0) if shares else METRICS[name].ends
    made = {
        label: _tuning_curve(block, tuned_rates(run.table, label), ends)
        for label in run.roles
        if (block := run.table.block(label, "tune", name)) is not None
    }
    if not made:
        return None
    return clarify_units(run, meta_training.tuning_figure(made, run.roles, name))


def _tuning_curve(
    block: Block, chosen: Floats | None, ends: tuple[float, float]
) -> TuningCurve:
    """Return the mean score of each rate that every unit tried, within its range.

    A unit is a replicate, or a tuning task where replicates share a rate.
    """
    scores = np.asarray(block.array, dtype=np.float64)
    each = block.axes == ("replicate", "rate")
    scores = scores if each else scores.T
    # The fine grids lie around each replicate's best: their means would be of others.
    tried = ~np.isnan(scores).any(axis=0) if each else np.ones(scores.shape[1]) > 0
    rates = np.asarray(block.coordinates("rate"))[tried]
    counts = np.isfinite(scores[:, tried]).sum(axis=0)
    band = fit_band(mean_band(scores[:, None, tried]), ends, counts)
    if chosen is None:
        chosen = rates[[_lowest_index(scores[:, tried])]]
    return TuningCurve(
        rates,
        band.mean,
        band.low,
        band.high,
        geometric_mean(chosen),
        float(chosen.min()),
        float(chosen.max()),
        over="replicates" if each else "tuning tasks",
    )


def _lowest_index(scores: np.ndarray) -> int:
    means = scores.mean(axis=0)
    return int(np.nanargmin(means)) if np.isfinite(means).any() else 0
