"""Curves over evaluations and price, what a strategy takes itself, and recoveries."""

import numpy as np
import pytest
from made_up import Array
from made_up_searches import (
    COLD,
    HORIZON,
    WARM,
    found_at,
    search_spec,
    searches,
    trained,
)

from engine.contract.blocks import Timing
from engine.stats.efficiency import (
    by_evaluation,
    by_price,
    grid_of,
    held,
    overheads,
    recoveries,
)
from engine.stats.table import Table


def prices(seed: int, shape: tuple[int, ...]) -> Array:
    return np.cumsum(np.random.default_rng(seed).uniform(0.5, 2.0, shape), axis=-1)


def test_what_a_search_had_at_a_price_is_what_it_last_trained() -> None:
    spent, grid = prices(0, (7, 30)), np.linspace(0.1, 60.0, 50)
    values = np.random.default_rng(1).random((7, 30))
    found = held(values, spent, grid)
    for search in range(7):
        for i, price in enumerate(grid):
            paid = [
                v
                for v, p in zip(values[search], spent[search], strict=True)
                if p <= price
            ]
            truth = paid[-1] if paid else np.nan
            np.testing.assert_equal(found[search, i], truth)


def test_at_one_unit_an_evaluation_price_and_evaluations_are_the_same_curve() -> None:
    first = np.random.default_rng(0).integers(2, 90, (1, 40))
    table = Table(searches("warm", found_at(first)))
    (steps,) = by_evaluation(table, search_spec(WARM))
    (spent,) = by_price(table, search_spec(WARM), points=HORIZON)
    np.testing.assert_allclose(spent.x, steps.x)
    for name in ("mean", "low", "high"):
        np.testing.assert_allclose(getattr(spent, name), getattr(steps, name))
    np.testing.assert_allclose(steps.mean, found_at(first).mean((0, 1)), atol=1e-6)


def test_no_curve_ends_before_the_picture_does() -> None:
    short, long = prices(0, (1, 20, 10)), prices(1, (1, 20, 30))
    grid = grid_of([short, long])
    assert grid[-1] == pytest.approx(short[..., -1].mean())


def test_the_band_is_over_searches_unless_something_was_trained() -> None:
    first = np.random.default_rng(0).integers(2, 90, (3, 40))
    blocks = searches("warm", found_at(first))
    (free,) = by_evaluation(Table(blocks), search_spec(WARM))
    (tied,) = by_evaluation(Table([*blocks, trained("warm", 9.0)]), search_spec(WARM))
    assert (free.n, tied.n) == (120, 3)


def test_a_strategys_own_time_is_for_each_training_that_was_paid() -> None:
    tried = np.where(np.arange(HORIZON) < 50, np.arange(HORIZON), np.nan)
    regret = np.full((2, 10, HORIZON), 0.1)
    tries = np.broadcast_to(tried, regret.shape)
    table = Table(searches("warm", regret, tried=tries, price=3.0))
    timings = [Timing("warm", "test in place", 2.0, 2000), Timing("", "film", 9.0)]
    (found,) = overheads(table, timings, ["warm", "cold"])
    assert found.evaluations == 2 * 10 * 50
    assert found.seconds == pytest.approx(2.0 / 1000)


def test_searches_that_never_recover_count_with_all_that_was_left() -> None:
    regret = np.full((1, 4, HORIZON), 0.1)
    regret[0, :2, 60:70] = 0.4
    regret[0, 2:, 60:] = 0.4
    blocks = searches("warm", regret, switch=60)
    blocks += searches("cold", np.full((1, 4, HORIZON), 0.1), switch=60)
    warm, cold = recoveries(Table(blocks), search_spec(WARM, COLD))
    assert warm.evaluations.mean == pytest.approx((10 + 10 + 40 + 40) / 4)
    assert warm.recovered.mean == 0.5
    assert cold.evaluations.mean == 0.0 and cold.recovered.mean == 1.0
