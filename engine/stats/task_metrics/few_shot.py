"""Per-task metrics of few-shot tasks, from their traces.

A task has diverged if its answer is not finite, or if its squared error is at the cap:
what is beyond was not measured. Its accuracy and its squared error are NaN; only
`error`, by which learners are compared, takes the worst value, so that no learner wins
by diverging.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from engine.stats.array_types import Floats

# Errors are bounded by these, so that one bad task cannot decide a comparison.
WORST = {"query_accuracy": 1.0, "query_mse": 1e2}


def summarize_episodes(
    traces: Mapping[str, ArrayLike], chosen: ArrayLike
) -> dict[str, Floats]:
    """Summarize one learner's answers at one condition, task by task.

    Args:
        traces: `query_loss` and `query_accuracy`, or `query_mse`, and others; axes
            (replicate, task, step).
        chosen: Index along the steps of the learner's answer; one for all tasks, or
            shape (replicate, task).

    Returns:
        The per-task metrics, float64, axes (replicate, task): `error` is the share
        of wrong answers or the squared error, clipped to 1 or 100 and set to that
        where the task diverged, where all others are NaN; `start_*` is before the first
        inner step, if any.

    >>> found = summarize_episodes({"query_mse": np.array([[[4.0, 1.0]]])}, 1)
    >>> found["final_mse"].item(), found["adaptation_gain"].item()
    (1.0, 0.75)
    """
    kept = {name: _nan_if_nonfinite(trace) for name, trace in traces.items()}
    judged = "query_accuracy" if "query_accuracy" in kept else "query_mse"
    last = _at_answer(kept[judged], chosen)
    lost = _is_lost(last, judged)
    short = judged.removeprefix("query_")
    rows = {
        "error": _bounded_error(last, judged),
        "diverged": lost,
        f"final_{short}": np.where(lost, np.nan, last),
    }
    if "query_loss" in kept:
        rows["final_query_loss"] = np.where(
            lost, np.nan, _at_answer(kept["query_loss"], chosen)
        )
    first = kept.get("query_loss", kept[judged])
    if first.shape[-1] > 1:
        gain = _relative_gain(first[..., 0], _at_answer(first, chosen))
        rows[f"start_{short}"] = kept[judged][..., 0]
        rows["adaptation_gain"] = np.where(lost, np.nan, gain)
    return {name: np.asarray(row, dtype=np.float64) for name, row in rows.items()}


def _nan_if_nonfinite(trace: ArrayLike) -> Floats:
    """Replace infinities by NaN."""
    values = np.asarray(trace, dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _at_answer(trace: Floats, chosen: ArrayLike) -> Floats:
    """Return a trace's value at each task's answer; shape (replicate, task)."""
    index = np.broadcast_to(chosen, trace.shape[:-1])[..., None]
    return np.take_along_axis(trace, index, axis=-1)[..., 0]


def _is_lost(values: Floats, judged: str) -> Floats:
    """Return where a task diverged; all answers wrong are a measurement."""
    capped = judged == "query_mse"
    return np.asarray(~np.isfinite(values) | (capped & (values >= WORST[judged])))


def _bounded_error(values: Floats, judged: str) -> Floats:
    worst = WORST[judged]
    error = 1.0 - values if judged == "query_accuracy" else values
    return np.where(np.isfinite(error), np.minimum(error, worst), worst)


def _relative_gain(first: Floats, last: Floats) -> Floats:
    """Return the share by which the loss fell; NaN where it was 0 to begin with."""
    safe = np.where(first > 0, first, np.nan)
    return np.asarray((first - last) / safe)
