"""Gittins index of a Bernoulli arm for a finite number of pulls, undiscounted.

The index of an arm is the sure reward per pull λ at which it makes no difference
whether the arm is pulled at all during the pulls that are left: the root of

    C_m(λ) = p − λ + p D_{m−1}(success) + (1 − p) D_{m−1}(failure),  D = max(0, C),

where p is the posterior mean, and D the best that can be gained over λ with m pulls
left and the right to stop.
"""

from functools import lru_cache

import numpy as np

GRID = 128  # values of λ; C is convex in λ, and between two of them nearly linear
PULLS = 150  # computed in about a second; the table grows with their cube


@lru_cache(maxsize=4)
def gittins_table(pulls: int) -> np.ndarray:
    """Return the index of every arm that a trial can meet.

    Args:
        pulls: Pulls of the trial n.

    Returns:
        float32, shape (1 + pulls left, 1 + successes, 1 + failures); NaN where a
        trial of n pulls cannot come.
    """
    table = np.full((pulls + 1, pulls + 1, pulls + 1), np.nan, np.float32)
    rates = np.linspace(0.0, 1.0, GRID, dtype=np.float32)[:, None, None]
    gain = np.zeros((GRID, pulls + 1, pulls + 1), np.float32)
    for left in range(1, pulls + 1):
        side = pulls - left + 1  # at most n − left pulls lie behind
        mean = _posterior_means(side)
        won, lost = gain[:, 1 : side + 1, :side], gain[:, :side, 1 : side + 1]
        value = mean - rates + mean * won + (1 - mean) * lost
        table[left, :side, :side] = _find_root(value, rates)
        gain = np.maximum(value, 0.0)
    seen = np.add.outer(np.arange(pulls + 1), np.arange(pulls + 1))
    # The square holds states with more pulls behind them than there were.
    table[seen[None] + np.arange(pulls + 1)[:, None, None] > pulls] = np.nan
    return table


def _posterior_means(side: int) -> np.ndarray:
    """Return (s + 1) / (s + f + 2); shape (1, success, failure)."""
    counts = np.arange(side, dtype=np.float32)
    total = np.add.outer(counts, counts)
    mean: np.ndarray = (counts[:, None] + 1) / (total + 2)
    return mean[None]


def _find_root(value: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Return where values that fall along the first axis cross 0, by interpolation."""
    # At λ = 0 a pull gains something, at λ = 1 it cannot.
    above = (value > 0).sum(0, keepdims=True) - 1
    high = np.take_along_axis(value, above, 0)[0]
    low = np.take_along_axis(value, above + 1, 0)[0]
    width = rates[1, 0, 0] - rates[0, 0, 0]
    root: np.ndarray = rates[above[0], 0, 0] + width * high / (high - low)
    return root
