"""Per-task metrics of trials, from their traces.

A trial has diverged if a policy was not finite. Then all of its numbers are NaN but
`trial_regret`, by which agents are compared: it takes the worst possible value.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from engine.stats.array_types import Floats
from engine.stats.inference.intervals import finite_mean
from engine.stats.inference.steps_to_threshold import (
    find_crossing,
    means_of_the_rest,
)

GOAL = 0.1  # share of the regret of random actions
ROUNDING = 1e-6  # regrets are float32: those of an optimal agent need not be 0
# By trace: the share of a trial's pulls that changed the arm.
SWITCHES = {"switch_after_loss": "loss_switches", "switch_after_win": "win_switches"}
LAST = 4  # the last return is the mean over this fraction of the trial


def summarize_trials(
    traces: Mapping[str, ArrayLike],
    judged: int,
    worst: ArrayLike,
    random: ArrayLike,
    *,
    totals: bool,
) -> dict[str, Floats]:
    """Summarize one agent's trials at one condition, task by task.

    Args:
        traces: `episode_return`, `episode_regret`, `episode_length`, and `best_action`
            and `cells` where they are known, and those of `SWITCHES` of bandits; axes
            (replicate, task, episode).
        judged: How many episodes, at the end of the trial, are judged.
        worst: Regret of a diverged trial; shape (replicate, task).
        random: Mean regret of an episode with random actions; shape (replicate, task).
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
    for name, over_trial in SWITCHES.items():
        if name in kept:
            rows[over_trial] = finite_mean(kept[name], -1)
    if "cells" in kept:
        rows["cells_visited"] = kept["cells"][..., -1]
    factor_lost = factor * np.asarray(random, dtype=np.float64)
    found: dict[str, Floats] = {
        name: _as_floats(np.where(lost, np.nan, row)) for name, row in rows.items()
    }
    found["trial_regret"] = _as_floats(np.where(lost, worst, regret))
    found["diverged"] = _as_floats(lost)
    found["random_regret"] = _as_floats(factor_lost)
    return found | _goal_rows(regrets, kept["episode_length"], random)


def _goal_rows(regret: Floats, length: Floats, random: ArrayLike) -> dict[str, Floats]:
    """Return episodes and interactions to the goal; the whole trial if it is missed.

    The goal: from then on, a mean regret of at most GOAL of that of random actions.
    """
    goal = GOAL * np.asarray(random, dtype=np.float64)[..., None]
    found = find_crossing(means_of_the_rest(regret), goal + ROUNDING)
    spent = np.nan_to_num(length).cumsum(-1)
    at = found.step.astype(np.int64)[..., None]
    return {
        "episodes_to_goal": found.step + 1,
        "interactions_to_goal": np.take_along_axis(spent, at, -1)[..., 0],
        "reached": _as_floats(found.reached),
    }


def _as_floats(values: ArrayLike) -> Floats:
    # numpy's `where` of scalars and arrays has no single type.
    return np.asarray(values, dtype=np.float64)
