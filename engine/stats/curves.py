"""From blocks to what a figure draws: curves with bands, over steps or severity.

A curve is the mean over replicates of each one's own mean over tasks, with the
95 % interval over replicates. Metrics with a log axis are averaged on the log
scale: the curve is a geometric mean, so that one bad task among many moves it
as far as the eye expects. A diverged task leaves the mean at the step where it
blew up and is counted, step by step.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from engine.contract.events import Block
from engine.stats.array_types import Floats, Indices
from engine.stats.inference.intervals import LOG_FLOOR
from engine.stats.inference.metric_intervals import is_log, metric_band
from engine.stats.inference.steps_to_threshold import find_crossing
from engine.stats.inference.survival import Survival, survival_over_replicates

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Curve(NamedTuple):
    """One learner's curve; every array has shape (step,) unless said.

    `n` counts replicates, `gone` the tasks without a finite number at each step, and
    `spread` holds the `QUANTILES` over the other tasks, shape (quantile, step). The
    last two are empty where nobody counted.
    """

    learner: str
    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: int = 1
    missing_counts: Indices = np.zeros(0, dtype=np.int64)
    spread: Floats = np.zeros((len(QUANTILES), 0))

    @property
    def diverged_count(self) -> int:
        """How many tasks had diverged at the end."""
        return int(self.missing_counts[-1]) if len(self.missing_counts) else 0


def make_curve(block: Block, layer: int | None = None) -> Curve:
    """Make a block's curve over its steps.

    Args:
        block: Axes (replicate, task, step), (replicate, step) or (replicate, task,
            step, layer).
        layer: Which layer; without one, the mean over layers.

    Raises:
        ValueError: If the block has other axes.
    """
    values = _values_per_task(block, layer)
    band = metric_band(block.metric, values)
    flat = values.reshape(-1, values.shape[-1])
    gone = (~np.isfinite(flat)).sum(axis=0)
    x = np.asarray(block.coordinates("step"), dtype=np.float64)
    n = int(band.n.max()) if band.n.size else 0
    return Curve(
        block.learner, x, *band[:3], n=n, missing_counts=gone, spread=quantiles(flat)
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
    # A layer that no task has a number of was not measured; the others speak alone.
    seen = ~np.isnan(logged).all(axis=(0, 1, 2))
    means = logged[..., seen].mean(axis=-1) if seen.any() else logged[..., 0]
    return np.asarray(np.exp(means) if logs else means)


def quantiles(flat: Floats) -> Floats:
    """Return quantiles over tasks that are still there; NaN where none is."""
    finite = np.isfinite(flat)
    ordered = np.sort(np.where(finite, flat, np.nan), axis=0)  # NaN sorts last
    there = finite.sum(axis=0)
    at = np.asarray(QUANTILES)[:, None] * np.maximum(there - 1, 0)
    low, high = np.floor(at).astype(int), np.ceil(at).astype(int)
    below = np.take_along_axis(ordered, low, axis=0)
    above = np.take_along_axis(ordered, high, axis=0)
    return np.asarray(below + (above - below) * (at - low))


def survival_curve(block: Block, threshold: float) -> Survival:
    """Return the share of tasks not yet at a threshold, after each step.

    Args:
        block: Loss traces; axes (replicate, task, step).
        threshold: Any level, nats.
    """
    found = find_crossing(np.asarray(block.array, dtype=np.float64), threshold)
    return survival_over_replicates(
        found.step, found.reached, block.array.shape[-1] - 1
    )


def gradient_axis(
    steps: Floats, ledger: dict[str, int] | None = None, tasks: int = 1
) -> Floats:
    """Turn steps into gradient evaluations, with what was paid beforehand if asked.

    Args:
        steps: Steps of the base learner, each one gradient; shape (step,).
        ledger: What tuning and meta-training cost, as in the summary; left out,
            the axis starts at 0.
        tasks: Spread that cost over so many later tasks.

    >>> gradient_axis(np.array([0.0, 1.0]), {"tune": 30, "train": 10}, 4).tolist()
    [10.0, 11.0]
    """
    paid = 0 if ledger is None else ledger.get("tune", 0) + ledger.get("train", 0)
    return np.asarray(steps, dtype=np.float64) + paid / tasks


def make_curves(blocks: Iterable[Block], name: str, phase: str = "test") -> list[Curve]:
    """Make the curve of every learner that has this metric in this phase.

    Args:
        blocks: Blocks of one condition.
        name: The metric.
        phase: test, train or validate.
    """
    return [make_curve(b) for b in blocks if b.metric == name and b.phase == phase]
