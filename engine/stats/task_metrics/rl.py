"""Per-task metrics of trials, from their traces.

A trial has diverged if a policy was not finite. Then all of its numbers are NaN but
`trial_regret`, by which agents are compared: it takes the worst possible value.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from engine.stats.array_types import Floats

LAST = 4  # the last return is the mean over this fraction of the trial


def summarize_trials(
    traces: Mapping[str, ArrayLike], judged: int, worst: ArrayLike, *, totals: bool
) -> dict[str, Floats]:
    """Summarize one agent's trials at one condition, task by task.

    Args:
        traces: `episode_return`, `episode_regret`, `episode_length`, and `best_action`
            and `cells` where they are known; axes (replicate, task, episode).
        judged: How many episodes, at the end of the trial, are judged.
        worst: Regret of a diverged trial; shape (replicate, task).
        totals: Whether judged episodes are summed; else averaged.

    Returns:
        The per-task metrics, float64, axes (replicate, task).
    """
    kept = {name: np.asarray(row, dtype=np.float64) for name, row in traces.items()}
    returns, regrets = kept["episode_return"], kept["episode_regret"]
    count = returns.shape[-1]
    lost = ~np.isfinite(returns).all(-1)
    factor = judged if totals else 1
    regret = factor * regrets[..., -judged:].mean(-1)
    last: Floats = returns[..., -max(1, count // LAST) :].mean(-1)
    rows = {
        "trial_return": factor * returns[..., -judged:].mean(-1),
        "first_return": returns[..., 0],
        "last_return": last,
        "return_gain": last - returns[..., 0],
        "interactions": kept["episode_length"].sum(-1),
    }
    if "best_action" in kept:
        steps = kept["episode_length"]
        taken = (kept["best_action"] * steps).sum(-1)
        rows["best_action_share"] = taken / steps.sum(-1)
    if "cells" in kept:
        rows["cells_visited"] = kept["cells"][..., -1]
    found: dict[str, Floats] = {
        name: _as_floats(np.where(lost, np.nan, row)) for name, row in rows.items()
    }
    found["trial_regret"] = _as_floats(np.where(lost, worst, regret))
    found["diverged"] = _as_floats(lost)
    return found


def _as_floats(values: ArrayLike) -> Floats:
    # numpy's `where` of scalars and arrays has no single type.
    return np.asarray(values, dtype=np.float64)
