"""Judges are fair: alike strategies save nothing, and shared tasks widen intervals."""

from typing import Any, cast

import numpy as np
import pytest
from scipy.stats import t

from engine.stats.claims_board.savings import COLD, WARM
from engine.stats.claims_board.space_growth import SizedTarget, _mean_gap, _over_targets
from engine.stats.claims_board.study_verdict import (
    SourceTarget,
    jackknife_interval,
    mean_over_units,
)
from engine.stats.claims_board.task_similarity import TargetRegrets, _mean_saving
from engine.stats.inference.intervals import Interval
from tests.stats.made_up import Array

TASKS = 8


def place(source: int, target: int) -> SourceTarget:
    """Return where a warm start from one task met another one."""
    empty = cast(Any, None)
    return SourceTarget(f"task {source}", f"task {target}", empty, empty, empty, empty)


def pairs_of(gaps: Array, noise: Array | None = None) -> list[TargetRegrets]:
    """Return places whose log ratios are these; shape (task, task)."""
    found = []
    for i in range(TASKS):
        for j in range(TASKS):
            if i != j:
                cold = np.ones(10) if noise is None else noise[0, i, j]
                warm = np.ones(10) if noise is None else noise[1, i, j]
                rows = {WARM: np.exp(gaps[i, j]) * warm, COLD: cold}
                found.append(TargetRegrets(place(i, j), 0.5, rows))
    return found


def test_of_a_mean_the_interval_is_students() -> None:
    values = np.random.default_rng(3).standard_normal(9)
    found = jackknife_interval(
        values.mean(), [np.delete(values, i).mean() for i in range(9)]
    )
    assert found == pytest.approx(mean_over_units(values))
    error = values.std(ddof=1) / 3
    assert found.high - found.mean == pytest.approx(error * t.ppf(0.975, 8))


def test_one_unit_leaves_no_interval() -> None:
    assert np.isnan(jackknife_interval(1.0, []).low) and np.isnan(
        jackknife_interval(1.0, [2.0]).high
    )


def covered(interval: Interval) -> bool:
    return bool(interval.low <= 0 <= interval.high)


def test_the_effect_of_a_task_on_all_its_conditions_is_in_the_interval() -> None:
    draw = np.random.default_rng(0)
    over_tasks = over_places = 0
    for _ in range(60):
        of_source, of_target = 0.1 * draw.standard_normal((2, TASKS))
        gaps = of_source[:, None] + of_target + 0.1 * draw.standard_normal((TASKS,) * 2)
        pairs = pairs_of(gaps)
        over_tasks += covered(_mean_saving(pairs, WARM))
        over_places += covered(mean_over_units([pair.gap(WARM) for pair in pairs]))
    assert over_tasks > 52  # of 60, and at 95 % some 57
    assert over_places < 48  # as if places were independent


def test_alike_strategies_save_nothing_however_noisy_a_training_is() -> None:
    draw = np.random.default_rng(1)
    noise = draw.exponential(size=(2, TASKS, TASKS, 10))
    pairs = pairs_of(np.zeros((TASKS, TASKS)), noise)
    found = _mean_saving(pairs, WARM)
    assert covered(found) and abs(found.mean) < 10
    # the mean of each training's own share would blame the warm start
    shares = [1 - (p.regrets[WARM] / p.regrets[COLD]).mean() for p in pairs]
    assert np.mean(shares) < -0.5


def test_a_growing_benefit_is_over_targets_where_there_are_some() -> None:
    rows = np.ones((10, 5))
    cells = [
        SizedTarget(100, f"set {i}", np.exp(0.1 * i) * rows, rows) for i in range(5)
    ]
    assert _over_targets(cells, _mean_gap) == pytest.approx(
        mean_over_units([0.1 * i for i in range(5)])
    )
    few = _over_targets(cells[:2], _mean_gap)
    assert few.n == 10 and few.mean == pytest.approx(0.05)
