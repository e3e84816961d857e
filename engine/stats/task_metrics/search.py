"""Per-search metrics of architecture searches, from their traces.

Source: Dong and Yang (2020), arXiv:2001.00326, for regret on a table; Kaplan and
Meier (1958) for evaluations to a goal that some searches never reach.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from engine.stats.array_types import Floats
from engine.stats.inference.steps_to_threshold import find_crossing


def summarize_searches(
    traces: Mapping[str, ArrayLike], goal: Floats, size: int
) -> dict[str, Floats]:
    """Summarize one strategy's searches at one condition, one by one.

    Args:
        traces: `regret`, `score`, `architecture` and `spent`; axes (replicate, task,
            step), the architecture NaN where nothing was trained any more; `capped`,
            where there is a cap, 1 once it holds.
        goal: Regret at which the goal is found, under the cap where there is one; NaN
            where none is known; shape (replicate, task).
        size: Number of architectures in the space.

    Returns:
        Per-search metrics, float64, axes (replicate, task). A search that never
        reached the goal has as many evaluations as the horizon and `reached` 0; what
        was found before the cap held counts only for `final_…` and `regret_area`.

    >>> found = summarize_searches({"regret": [[[0.3, 0.1]]], "score": [[[0.6, 0.8]]],
    ...     "architecture": [[[4.0, 4.0]]], "spent": [[[1.0, 2.0]]]},
    ...     np.array([[0.1]]), 9)
    >>> float(found["evaluations_to_goal"][0, 0]), float(found["repeated"][0, 0])
    (2.0, 0.5)
    """
    regret, score, tried, spent = (
        np.asarray(traces[name], np.float64)
        for name in ("regret", "score", "architecture", "spent")
    )
    holds = np.asarray(traces.get("capped", np.ones_like(regret))) > 0
    found = find_crossing(np.where(holds, regret, np.inf), goal[..., None] + 1e-9)
    trained = np.isfinite(tried).sum(-1).astype(float)  # evaluations, with repeats
    distinct = _count_distinct(tried)
    rows: dict[str, ArrayLike] = {
        "regret_area": regret.mean(-1),
        "final_regret": regret[..., -1],
        "final_score": score[..., -1],
        "evaluations_to_goal": np.where(
            found.reached, found.step + 1, regret.shape[-1]
        ),
        "reached": found.reached,
        "cost_to_goal": _cost_to_goal(spent, found.step, found.reached),
        "trained": trained,
        "repeated": 1.0 - distinct / np.maximum(trained, 1.0),
        "coverage": distinct / size,
        "diverged": np.isnan(score[..., -1]),
    }
    if np.isnan(goal).all():
        rows = {k: v for k, v in rows.items() if k not in _OF_GOALS}
    if not holds[..., 0].any():
        rows |= _recovery_rows(regret, holds)
    return {name: np.asarray(row, np.float64) for name, row in rows.items()}


_OF_GOALS = ("evaluations_to_goal", "reached", "cost_to_goal")


def _count_distinct(tried: Floats) -> Floats:
    ordered = np.sort(tried, axis=-1)  # NaN sorts last
    new = np.diff(ordered, axis=-1) > 0
    return np.asarray(new.sum(-1) + np.isfinite(ordered[..., 0]), np.float64)


def _cost_to_goal(spent: Floats, step: Floats, reached: np.ndarray) -> Floats:
    at = np.where(reached, step, spent.shape[-1] - 1).astype(np.int64)
    return np.take_along_axis(spent, at[..., None], -1)[..., 0]


def _recovery_rows(regret: Floats, holds: np.ndarray) -> dict[str, ArrayLike]:
    """Return evaluations from the switch until regret is as low as before it.

    Args:
        regret: Shape (replicate, task, step).
        holds: Whether the new objective holds; True at the last step at the latest.
    """
    switch = holds.argmax(-1)
    before = np.take_along_axis(regret, switch[..., None] - 1, -1)
    found = find_crossing(np.where(holds, regret, np.inf), before + 1e-9)
    left = regret.shape[-1] - switch
    return {
        "recovery_steps": np.where(found.reached, found.step - switch, left),
        "recovered": found.reached,
    }
