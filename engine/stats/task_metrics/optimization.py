"""Per-task metrics of optimization tasks, from their traces.

A task diverges at its first loss that is not finite or above `BLOWN_UP`. From that
step on its traces are NaN, and so are its final values; `diverged` is 1. Only `area`
and `held_log_loss` stay finite: what is missing counts with the ceiling, so that tasks
can be compared and no learner wins by diverging.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from engine.stats.array_types import Floats
from engine.stats.inference.steps_to_threshold import find_crossing, recovery

BLOWN_UP = 1e8  # nats; above it float32 gradients soon overflow
FLOOR, CEILING = 1e-4, 1e2  # nats; bounds of the log loss, so that no step dominates


def cut_at_divergence(
    traces: Mapping[str, ArrayLike],
) -> tuple[dict[str, Floats], Floats]:
    """Set every trace to NaN from the step at which its task diverged.

    Args:
        traces: `loss` and any others; axes (replicate, task, step, …). A trace of
            steps 0..T-1 (what was done) is cut at the same step as 0..T.

    Returns:
        The traces with NaN from there on, and the step of divergence, shape
        (replicate, task), NaN where a task never diverged.

    >>> cut_at_divergence({"loss": np.array([[[1.0, np.inf, 3.0]]])})
    ({'loss': array([[[ 1., nan, nan]]])}, array([[1.]]))
    """
    loss = np.asarray(traces["loss"], dtype=np.float64)
    bad = ~(np.isfinite(loss) & (loss <= BLOWN_UP))
    at = np.where(bad.any(axis=-1), bad.argmax(axis=-1), np.nan)  # first bad step
    return {name: _empty_after(np.asarray(t), at) for name, t in traces.items()}, at


def _empty_after(trace: Floats, at: Floats) -> Floats:
    steps = np.arange(trace.shape[2])
    gone = steps >= np.where(np.isnan(at), np.inf, at)[..., None]
    gone = gone.reshape(gone.shape + (1,) * (trace.ndim - 3))
    return np.where(gone, np.array(np.nan, dtype=trace.dtype), trace)


def clamped_log(loss: Floats) -> Floats:
    """Return the log of the loss clipped to [1e-4, 1e2]; NaN and infinity are 1e2.

    Args:
        loss: Nats; any shape.

    Returns:
        ln nats, float64, same shape.

    >>> clamped_log(np.array([1.0, 0.0, np.nan])).round(2).tolist()
    [0.0, -9.21, 4.61]
    """
    filled = np.where(np.isfinite(loss), loss, CEILING)
    return np.log(np.clip(filled.astype(np.float64), FLOOR, CEILING))


def mean_log_loss(loss: Floats) -> Floats:
    """Return the mean over steps of the clamped log loss, ln nats.

    Args:
        loss: Loss after every step, nats; shape (…, step), NaN once diverged.

    Returns:
        Shape (…).

    >>> float(mean_log_loss(np.array([1.0, 1.0])))
    0.0
    """
    return np.asarray(clamped_log(loss).mean(axis=-1))


def coefficient_of_variation(norm: Floats) -> Floats:
    """Return the standard deviation over steps divided by the mean; 0 for all 0.

    Args:
        norm: Shape (…, step), not negative.

    Returns:
        Shape (…), without unit.

    >>> float(coefficient_of_variation(np.array([1.0, 3.0])))
    0.5
    """
    norm = np.asarray(norm, dtype=np.float64)
    mean = norm.mean(axis=-1)
    scale = np.where(mean == 0.0, 1.0, mean)
    return np.asarray(norm.std(axis=-1) / scale)


def summarize_tasks(
    traces: Mapping[str, ArrayLike], threshold: float, drift_start: int | None = None
) -> dict[str, Floats]:
    """Summarize one learner's traces at one condition, task by task.

    Args:
        traces: `loss`, and `held_loss`, `accuracy` and `grad_norm` where there are any;
            axes (replicate, task, step), cut or not. Others are ignored.
        threshold: The level that counts as solved, nats.
        drift_start: First step measured on the drifted task; None without drift.

    Returns:
        The per-task metrics, float64, axes (replicate, task). Of a diverged task
        `final_loss`, `final_held_loss`, `final_accuracy` and `grad_cv` are NaN;
        `best_loss` is the lowest before it diverged, `area` counts the missing steps
        at 1e2, `held_log_loss` is ln 1e2, and a threshold not reached before counts as
        not reached within the horizon.
    """
    wanted = ("loss", "held_loss", "accuracy", "grad_norm")
    kept, at = cut_at_divergence(
        {name: traces[name] for name in wanted if name in traces}
    )
    loss = kept["loss"].astype(np.float64)
    reach = find_crossing(loss, threshold)
    rows = {
        "final_loss": loss[..., -1],
        "best_loss": _lowest_loss(loss),
        "area": mean_log_loss(loss),
        "diverged": ~np.isnan(at),
        "diverged_at": at,
        "steps_to_threshold": reach.step,
        "reached": reach.reached,
    }
    if "held_loss" in kept:
        last = kept["held_loss"][..., -1]
        rows |= {"final_held_loss": last, "held_log_loss": clamped_log(last)}
    if "accuracy" in kept:
        rows["final_accuracy"] = kept["accuracy"][..., -1]
    if "grad_norm" in kept:
        rows["grad_cv"] = coefficient_of_variation(kept["grad_norm"])
    if drift_start is not None:
        back = recovery(loss, drift_start)
        rows |= {"recovery_steps": back.step, "recovered": back.reached}
    return {name: np.asarray(row, dtype=np.float64) for name, row in rows.items()}


def _lowest_loss(loss: Floats) -> Floats:
    lowest = np.where(np.isnan(loss), np.inf, loss).min(axis=-1)
    return np.where(np.isfinite(lowest), lowest, np.nan)
