"""Curves with confidence bands over steps, from the blocks of a run.

A curve is the mean over replicates of each one's own mean over tasks, with the
95 % interval over replicates. Metrics with a log axis are averaged on the log
scale: the curve is a geometric mean, which one bad task among many does not dominate.
Where a task of the figure diverged, losses are capped and diverged tasks count as the
cap (see `diverged_tasks`); of other metrics, such a task leaves the mean. Either way it
is counted at each step.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from engine.contract.events import Block
from engine.contract.metrics import metric
from engine.stats.array_types import Floats, Indices
from engine.stats.diverged_tasks import count_diverged, has_diverged
from engine.stats.inference.intervals import LOG_FLOOR
from engine.stats.inference.metric_intervals import is_log, metric_band
from engine.stats.inference.steps_to_threshold import find_crossing
from engine.stats.inference.survival import Survival, survival_over_replicates

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Curve(NamedTuple):
    """One learner's curve; arrays (step,).

    Args:
        learner: Label.
        x: Steps.
        mean: Mean over replicates.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Replicates.
        missing_counts: Tasks without a finite number; empty if not counted.
        spread: `QUANTILES` over the other tasks; shape (quantile, step), or empty.
        members: All tasks; 0 if not counted.
        counted_as: What a diverged task counts as in the mean; None if it is left out,
            or none diverged.
    """

    learner: str
    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: int = 1
    missing_counts: Indices = np.zeros(0, dtype=np.int64)
    spread: Floats = np.zeros((len(QUANTILES), 0))
    members: int = 0
    counted_as: float | None = None


def make_curve(
    block: Block, layer: int | None = None, *, capped: bool | None = None
) -> Curve:
    """Make a block's curve over its steps.

    Args:
        block: Axes (replicate, task, step), (replicate, step) or (replicate, task,
            step, layer).
        layer: Index of a layer; None for the mean over layers.
        capped: Whether diverged tasks count as the metric's worst value; by default if
            one of this block has diverged. Curves of one figure must agree.

    Returns:
        The curve in the metric's unit.

    Raises:
        ValueError: If the block has other axes.
    """
    values = _values_per_task(block, layer)
    flat = values.reshape(-1, values.shape[-1])
    gone = (~np.isfinite(flat)).sum(axis=0)
    if metric(block.metric).gaps:
        gone = np.zeros_like(gone)  # nothing was there to measure: no task is lost
    if has_diverged(block.metric, [values]) if capped is None else capped:
        values = count_diverged(block.metric, values)
        flat, counted_as = values.reshape(flat.shape), metric(block.metric).worst
    else:
        counted_as = None
    band = metric_band(block.metric, values)
    return Curve(
        block.learner,
        np.asarray(block.coordinates("step"), dtype=np.float64),
        *band[:3],
        n=int(band.n.max()) if band.n.size else 0,
        missing_counts=gone,
        spread=quantiles(flat),
        members=len(flat),
        counted_as=counted_as,
    )


def _values_per_task(block: Block, layer: int | None) -> Floats:
    values = np.asarray(block.array, dtype=np.float64)
    if block.axes == ("replicate", "step"):
        return values[:, None]
    if block.axes == ("replicate", "task", "step"):
        return values
    if block.axes != ("replicate", "task", "step", "layer"):
        raise ValueError(f"a curve cannot be made of axes {block.axes}")
    if layer is not None:
        return np.asarray(values[..., layer])
    logs = is_log(block.metric)
    logged = np.log(np.maximum(values, LOG_FLOOR)) if logs else values
    # A layer without any number was not measured: average over the others.
    seen = ~np.isnan(logged).all(axis=(0, 1, 2))
    means = logged[..., seen].mean(axis=-1) if seen.any() else logged[..., 0]
    return np.asarray(np.exp(means) if logs else means)


def quantiles(flat: Floats) -> Floats:
    """Return the `QUANTILES` over tasks with a finite number; NaN where there are none.

    Args:
        flat: Shape (task, step).

    Returns:
        Linearly interpolated; shape (quantile, step).
    """
    finite = np.isfinite(flat)
    ordered = np.sort(np.where(finite, flat, np.nan), axis=0)  # NaN sorts last
    there = finite.sum(axis=0)
    at = np.asarray(QUANTILES)[:, None] * np.maximum(there - 1, 0)
    low, high = np.floor(at).astype(int), np.ceil(at).astype(int)
    below = np.take_along_axis(ordered, low, axis=0)
    above = np.take_along_axis(ordered, high, axis=0)
    return np.asarray(below + (above - below) * (at - low))


def make_curve_along(block: Block, *, share: bool = False) -> Curve:
    """Make a probe's curve along its last axis, such as the number of examples.

    Args:
        block: Axes (replicate, task, …); NaN is left out.
        share: Whether errors of this run are shares of wrong answers, not MSE.

    Returns:
        The curve in the metric's unit, without a count of diverged tasks.
    """
    values = np.asarray(block.array, dtype=np.float64)
    band = metric_band(block.metric, values, share=share)
    at = np.asarray(block.coordinates(block.axes[-1]), dtype=np.float64)
    n = int(band.n.max()) if band.n.size else 0
    return Curve(block.learner, at, *band[:3], n=n)


def survival_curve(block: Block, threshold: float) -> Survival:
    """Return the share of tasks not yet at a threshold, after each step.

    Args:
        block: Loss traces; axes (replicate, task, step).
        threshold: Any level, nats.

    Returns:
        The share with its band, at every step.
    """
    found = find_crossing(np.asarray(block.array, dtype=np.float64), threshold)
    return survival_over_replicates(
        found.step, found.reached, block.array.shape[-1] - 1
    )


def gradient_axis(
    steps: Floats, ledger: dict[str, int] | None = None, tasks: int = 1
) -> Floats:
    """Return gradient evaluations for steps, with the cost paid beforehand if given.

    Args:
        steps: Steps of the base learner, each one gradient; shape (step,).
        ledger: What tuning and meta-training cost, as in the summary; left out,
            the axis starts at 0.
        tasks: Number of later tasks that share this cost.

    Returns:
        Gradient evaluations; shape (step,).

    >>> gradient_axis(np.array([0.0, 1.0]), {"tune": 30, "train": 10}, 4).tolist()
    [10.0, 11.0]
    """
    paid = 0 if ledger is None else ledger.get("tune", 0) + ledger.get("train", 0)
    return np.asarray(steps, dtype=np.float64) + paid / tasks


def make_curves(blocks: Iterable[Block], name: str, phase: str = "test") -> list[Curve]:
    """Make the curve of every learner that has this metric in this phase.

    If a task of any of them diverged, the losses of all are capped.

    Args:
        blocks: Blocks of one condition.
        name: The metric.
        phase: test, train or validate.
    """
    found = [b for b in blocks if b.metric == name and b.phase == phase]
    capped = has_diverged(name, (np.asarray(b.array) for b in found))
    return [make_curve(block, capped=capped) for block in found]
