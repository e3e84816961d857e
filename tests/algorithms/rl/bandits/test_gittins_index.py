"""The Gittins index is the sure reward at which pulling an arm stops to pay."""

from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq

from engine.algorithms.rl.bandits.gittins_index import gittins_table

PULLS = 12


def gain(rate: float, paid: int, unpaid: int, left: int) -> float:
    """Return what one more pull, and then the right to stop, gains over the rate."""

    @cache
    def follow(s: int, f: int, m: int) -> float:
        mean = (s + 1) / (s + f + 2)
        if m == 1:
            return mean - rate
        won, lost = max(0, follow(s + 1, f, m - 1)), max(0, follow(s, f + 1, m - 1))
        return mean - rate + mean * won + (1 - mean) * lost

    return follow(paid, unpaid, left)


@pytest.mark.parametrize(
    ("paid", "unpaid", "left"), [(0, 0, 12), (3, 1, 8), (0, 5, 7), (2, 2, 2)]
)
def test_the_index_is_where_the_gain_is_nothing(
    paid: int, unpaid: int, left: int
) -> None:
    truth = brentq(gain, 0.0, 1.0, args=(paid, unpaid, left))
    table = gittins_table(PULLS)
    assert table[left, paid, unpaid] == pytest.approx(truth, abs=2e-4)


def test_the_last_pull_is_worth_its_mean() -> None:
    table = gittins_table(PULLS)
    for paid in range(PULLS):
        mean = (paid + 1) / (PULLS + 1)
        assert table[1, paid, PULLS - 1 - paid] == pytest.approx(mean, abs=1e-5)


def test_an_index_is_given_for_what_a_trial_can_meet_and_nothing_else() -> None:
    table = gittins_table(PULLS)
    left, paid, unpaid = np.indices(table.shape)
    met = (left > 0) & (left + paid + unpaid <= PULLS)
    assert (np.isfinite(table) == met).all()
