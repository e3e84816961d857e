"""From the traces of few-shot tasks to one number a task.

A task whose answer is no number has diverged: its accuracy and its error are
gaps, and only `error`, by which learners are compared, goes on with the worst
value, so that nobody wins by blowing up.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from engine.stats.array_types import Floats

WORST = {"query_accuracy": 1.0, "query_mse": 1e2}


def summarize_episodes(
    traces: Mapping[str, ArrayLike], chosen: int
) -> dict[str, Floats]:
    """Summarize one learner's answers at one condition, task by task.

    Args:
        traces: `query_loss` and `query_accuracy`, or `query_mse`, and others; axes
            (replicate, task, step).
        chosen: Which position along the steps is the learner's answer.

    Returns:
        The per-task metrics, float64, axes (replicate, task): `error` is the share
        of wrong answers or the squared error at most 100, the worst of these where
        it diverged; `start_*` is before the first inner step, where there is one.

    >>> found = summarize_episodes({"query_mse": np.array([[[4.0, 1.0]]])}, 1)
    >>> found["final_mse"].item(), found["adaptation_gain"].item()
    (1.0, 0.75)
    """
    kept = {name: _nan_if_nonfinite(trace) for name, trace in traces.items()}
    judged = "query_accuracy" if "query_accuracy" in kept else "query_mse"
    lost = ~np.isfinite(kept[judged][..., chosen])
    rows = {
        "error": _bounded_error(kept[judged][..., chosen], judged),
        "diverged": lost,
    }
    short = judged.removeprefix("query_")
    rows[f"final_{short}"] = kept[judged][..., chosen]
    if "query_loss" in kept:
        rows["final_query_loss"] = kept["query_loss"][..., chosen]
    first = kept.get("query_loss", kept[judged])
    if first.shape[-1] > 1:
        rows[f"start_{short}"] = kept[judged][..., 0]
        rows["adaptation_gain"] = _relative_gain(first[..., 0], first[..., chosen])
    return {name: np.asarray(row, dtype=np.float64) for name, row in rows.items()}


def _nan_if_nonfinite(trace: ArrayLike) -> Floats:
    """Return a gap where a number is none, or too large to be one."""
    values = np.asarray(trace, dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _bounded_error(values: Floats, judged: str) -> Floats:
    worst = WORST[judged]
    error = 1.0 - values if judged == "query_accuracy" else values
    return np.where(np.isfinite(error), np.minimum(error, worst), worst)


def _relative_gain(first: Floats, last: Floats) -> Floats:
    """Return by which share the loss fell; NaN where there was nothing to lose."""
    safe = np.where(first > 0, first, np.nan)
    return np.asarray((first - last) / safe)
