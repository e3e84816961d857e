"""What a search had at a price, and what a strategy takes for itself."""

import numpy as np
import pytest

from engine.contract.events import Timing
from engine.stats.block_table import BlockTable
from engine.stats.search.efficiency import overheads, values_at_cost
from tests.stats.made_up import Array
from tests.stats.made_up_searches import HORIZON, searches


def prices(seed: int, shape: tuple[int, ...]) -> Array:
    return np.cumsum(np.random.default_rng(seed).uniform(0.5, 2.0, shape), axis=-1)


def test_the_result_at_a_cost_is_the_last_architecture_trained_by_then() -> None:
    spent, grid = prices(0, (7, 30)), np.linspace(0.1, 60.0, 50)
    values = np.random.default_rng(1).random((7, 30))
    found = values_at_cost(values, spent, grid)
    for search in range(7):
        for i, price in enumerate(grid):
            paid = [
                v
                for v, p in zip(values[search], spent[search], strict=True)
                if p <= price
            ]
            truth = paid[-1] if paid else np.nan
            np.testing.assert_equal(found[search, i], truth)


def test_a_strategys_own_time_is_for_each_training_that_was_paid() -> None:
    tried = np.where(np.arange(HORIZON) < 50, np.arange(HORIZON), np.nan)
    regret = np.full((2, 10, HORIZON), 0.1)
    tries = np.broadcast_to(tried, regret.shape)
    table = BlockTable(searches("warm", regret, tried=tries, price=3.0))
    timings = [Timing("warm", "test in place", 2.0, 2000), Timing("", "film", 9.0)]
    (found,) = overheads(table, timings, ["warm", "cold"])
    assert found.evaluations == 2 * 10 * 50
    assert found.seconds == pytest.approx(2.0 / 1000)
