"""Bayes optimum of a Bernoulli bandit: dynamic programming over posterior counts.

What is known of an arm is how often it was pulled and how often it paid. Arms are
interchangeable, so a state is the multiset of these counts: with ten arms, a trial of
ten pulls has 2,296 states to act in. A state's key is the sum of a random 64-bit number
for each arm's counts, as in Zobrist (1970): the order of arms does not matter, and one
more pull of an arm adds the same difference whatever the others are.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

STATES = 300_000  # solved within about a second


class Level(NamedTuple):
    """The states after the same number of pulls, by their keys in ascending order.

    Args:
        keys: Sum over arms of `count_keys`; int64, shape (state,).
        value: Expected reward of all pulls that are left; shape (state,).
        pulls: Pulls so far of the arm that is best to pull; int64, shape (state,).
        paid: How often that arm paid; int64, shape (state,).
    """

    keys: np.ndarray
    value: np.ndarray
    pulls: np.ndarray
    paid: np.ndarray


class _States(NamedTuple):
    """States before they are solved; `pulls` and `paid` have shape (state, arm)."""

    keys: np.ndarray
    pulls: np.ndarray
    paid: np.ndarray


@lru_cache(maxsize=8)
def count_keys(pulls: int) -> np.ndarray:
    """Return a random key for each arm's counts; 0 for an arm that was never pulled.

    Args:
        pulls: Number of pulls of a trial.

    Returns:
        int64, shape (1 + pulls, 1 + paid).
    """
    draws = np.random.Generator(np.random.Philox(key=1970))
    keys = draws.integers(-(2**63), 2**63, (pulls + 1, pulls + 1))
    keys[0, 0] = 0
    return keys


@lru_cache(maxsize=64)
def count_states(arms: int, pulls: int) -> float:
    """Return the number of states to act in, or a number above `STATES` if too many.

    >>> count_states(10, 10)
    2296.0
    """
    # ways[t, a]: multisets of the counts of `a` pulled arms with `t` pulls in all.
    ways = np.zeros((pulls + 1, min(arms, pulls) + 1))
    ways[0, 0] = 1
    for own in range(1, pulls + 1):
        for _paid in range(own + 1):
            for total in range(own, pulls + 1):
                ways[total, 1:] += ways[total - own, :-1]
            # Long trials would take long to count.
            if ways[:pulls].sum() > STATES:
                return float(ways[:pulls].sum())
    return float(ways[:pulls].sum())


def arm_chances(pulls: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Return the chance that an arm pays, given its counts; p ~ U(low, high).

    E[p | counts] = ∫ p^(s + 1) (1 − p)^(m − s) dp / ∫ p^s (1 − p)^(m − s) dp over the
    range, s being how often it paid and m its pulls.

    Args:
        pulls: Pulls of a trial.
        low: Lowest probability.
        high: Highest probability.

    Returns:
        Shape (1 + pulls, 1 + paid); where more were paid than pulled it means nothing.

    >>> arm_chances(2)[2].round(3).tolist(), arm_chances(1, 0.5, 0.5)[1].tolist()
    ([0.25, 0.5, 0.75], [0.5, 0.5])
    """
    own, paid = np.meshgrid(*[np.arange(pulls + 1)] * 2, indexing="ij")
    if (low, high) == (0.0, 1.0):
        return np.asarray((paid + 1) / (own + 2))
    if low == high:
        return np.full(own.shape, low)
    # So many nodes integrate a polynomial of the degree m + 1 exactly.
    nodes, weights = np.polynomial.legendre.leggauss(pulls // 2 + 2)
    p = low + (high - low) * (nodes + 1) / 2
    unpaid = np.maximum(own - paid, 0)
    # In logs, since powers of small chances would be 0.
    logs = paid[..., None] * np.log(p) + unpaid[..., None] * np.log1p(-p)
    density = weights * np.exp(logs - logs.max(-1, keepdims=True))
    return np.asarray((density * p).sum(-1) / density.sum(-1))


@lru_cache(maxsize=8)
def solve_bandit(
    arms: int, pulls: int, low: float = 0.0, high: float = 1.0
) -> tuple[Level, ...]:
    """Solve a bandit whose arms pay with probabilities from U(low, high).

    Args:
        arms: Number of arms k.
        pulls: Pulls of a trial n; `count_states` says whether they are too many.
        low: Lowest probability.
        high: Highest probability.

    Returns:
        The solved states after 0, …, n − 1 pulls.
    """
    chances, found = arm_chances(pulls, low, high), list[Level]()
    for states in reversed(_expand(arms, pulls)):
        found.append(_back_up(states, found[-1] if found else None, chances))
    return tuple(reversed(found))


def optimal_value(arms: int, pulls: int, low: float = 0.0, high: float = 1.0) -> float:
    """Return the largest expected reward of a trial; arms pay with U(low, high).

    >>> round(optimal_value(2, 1), 6), round(optimal_value(5, 10), 3)
    (0.5, 6.66)
    """
    return float(solve_bandit(arms, pulls, low, high)[0].value[0])


def least_regret(
    arms: int, pulls: int, low: float = 0.0, high: float = 1.0
) -> float | None:
    """Return the smallest expected regret of a trial; None if it takes too long.

    n E[max p] − V, and E[max p] = low + (high − low) k / (k + 1).

    Args:
        arms: Number of arms k.
        pulls: Pulls of a trial n.
        low: Lowest probability.
        high: Highest probability.

    >>> least_regret(2, 1), least_regret(50, 500)
    (0.16666666666666663, None)
    """
    if count_states(arms, pulls) > STATES:
        return None
    best = low + (high - low) * arms / (arms + 1)
    return pulls * best - optimal_value(arms, pulls, low, high)


def _expand(arms: int, pulls: int) -> list[_States]:
    """Return the states before each pull."""
    arms = min(arms, pulls)  # of more arms, some are never pulled
    nothing = np.zeros((1, arms), np.int16)
    levels = [_States(np.zeros(1, np.int64), nothing, nothing)]
    for _pull in range(pulls - 1):
        now = levels[-1]
        keys = _next_keys(now, pulls)
        # (state, arm, outcome), flat, so that the index tells all three.
        unique, at = np.unique(keys, return_index=True)
        state, arm, outcome = np.unravel_index(at, keys.shape)
        more, paid = now.pulls[state], now.paid[state]
        more[np.arange(len(at)), arm] += 1
        paid[np.arange(len(at)), arm] += outcome.astype(np.int16)
        levels.append(_States(unique, more, paid))
    return levels


def _next_keys(now: _States, pulls: int) -> np.ndarray:
    """Return the keys that a pull leads to; shape (state, arm, failure or success)."""
    table, own, paid = count_keys(pulls), now.pulls, now.paid
    without = now.keys[:, None] - table[own, paid]
    both = [without + table[own + 1, paid], without + table[own + 1, paid + 1]]
    return np.stack(both, -1)


def _back_up(states: _States, after: Level | None, chances: np.ndarray) -> Level:
    """Return states with their values, given those after one more pull, if any.

    Args:
        states: The states.
        after: Those after one more pull.
        chances: Of an arm by its counts, from `arm_chances`.
    """
    following = np.zeros((*states.pulls.shape, 2))
    if after is not None:
        keys = _next_keys(states, len(chances) - 1)
        at = np.searchsorted(after.keys, keys)
        following = after.value[at]
    chance = chances[states.pulls, states.paid]
    worth = chance * (1 + following[..., 1]) + (1 - chance) * following[..., 0]
    rows, best = np.arange(len(worth)), worth.argmax(1)
    own, paid = states.pulls[rows, best], states.paid[rows, best]
    return Level(
        states.keys, worth[rows, best], own.astype(np.int64), paid.astype(np.int64)
    )
