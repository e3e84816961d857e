"""The Bayes optimum is that of an enumeration of all histories."""

from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad

from engine.algorithms.rl.bandits.bayes_optimum import (
    STATES,
    arm_chances,
    count_keys,
    count_states,
    least_regret,
    optimal_value,
    solve_bandit,
)
from tests.tasks.rl.trials import learner, trials


@cache
def enumerated(counts: tuple[tuple[int, int], ...], left: int) -> float:
    """Return the optimal value with arms kept apart: (successes, failures) of each."""
    if not left:
        return 0.0
    return max(pulled(counts, arm, left) for arm in range(len(counts)))


def pulled(counts: tuple[tuple[int, int], ...], arm: int, left: int) -> float:
    """Return the value of pulling an arm now and acting optimally afterwards."""
    paid, unpaid = counts[arm]
    before, after = counts[:arm], counts[arm + 1 :]
    chance = (paid + 1) / (paid + unpaid + 2)
    won = enumerated((*before, (paid + 1, unpaid), *after), left - 1)
    lost = enumerated((*before, (paid, unpaid + 1), *after), left - 1)
    return chance * (1 + won) + (1 - chance) * lost


@pytest.mark.parametrize(
    ("arms", "pulls"), [(1, 4), (2, 1), (2, 5), (2, 10), (3, 5), (4, 4)]
)
def test_the_value_is_that_of_all_histories(arms: int, pulls: int) -> None:
    truth = enumerated(((0, 0),) * arms, pulls)
    assert optimal_value(arms, pulls) == pytest.approx(truth, abs=1e-9)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.2, 0.6), (0.9, 1.0)])
def test_the_chance_of_an_arm_is_its_posterior_mean(low: float, high: float) -> None:
    found = arm_chances(12, low, high)
    for own, paid in [(0, 0), (1, 1), (5, 0), (12, 7), (12, 12)]:

        def weight(p: float, more: int, s: int = paid, m: int = own) -> float:
            return float(p ** (s + more) * (1 - p) ** (m - s))

        above, below = (quad(weight, low, high, (i,), epsabs=0)[0] for i in (1, 0))
        assert found[own, paid] == pytest.approx(above / below, rel=1e-9)


@pytest.mark.parametrize("span", [(0.0, 1.0), (0.3, 0.9), (0.4, 0.4)])
def test_the_least_regret_is_that_of_all_histories(span: tuple[float, float]) -> None:
    chances = arm_chances(5, *span)

    def value(counts: tuple[tuple[int, int], ...], left: int) -> float:
        """Return the optimal value; (pulls, paid) of each arm."""
        if not left:
            return 0.0
        options = []
        for arm, (own, paid) in enumerate(counts):
            after = [
                value(
                    (*counts[:arm], (own + 1, paid + won), *counts[arm + 1 :]), left - 1
                )
                for won in (0, 1)
            ]
            p = chances[own, paid]
            options.append((1 - p) * after[0] + p * (1 + after[1]))
        return max(options)

    low, high = span
    # The mean of the larger of two numbers from U(low, high).
    best = low + 2 / 3 * (high - low)
    truth = 5 * best - value(((0, 0), (0, 0)), 5)
    assert least_regret(2, 5, *span) == pytest.approx(truth, abs=1e-9)


@pytest.mark.parametrize("span", [(0.0, 1.0), (0.3, 0.7)])
def test_no_strategy_loses_less_on_average(span: tuple[float, float]) -> None:
    low, high = span
    tasks = trials("bernoulli_bandit", 1500, 6, arms=3, low=low, high=high)
    least = least_regret(3, 6, *span)
    assert least is not None
    for name in ("bayes_optimum", "thompson", "ucb1"):
        (played,) = learner(name).play({}, tasks)
        regret = (tasks.optimum - played.expected.sum(2)).sum(1).double().numpy()
        error = regret.std() / np.sqrt(len(regret))
        assert regret.mean() > least - 4 * error
        if name == "bayes_optimum" and span == (0.0, 1.0):
            assert regret.mean() < least + 4 * error


@pytest.mark.parametrize(("arms", "printed"), [(5, "6.660"), (10, "6.714")])
def test_ten_pulls_have_the_published_values(arms: int, printed: str) -> None:
    assert f"{optimal_value(arms, 10):.3f}" == printed


def test_every_state_names_an_arm_that_an_enumeration_finds_best() -> None:
    counts, pulls = ((1, 0), (0, 1), (0, 0)), 6
    paid, unpaid = np.array(counts).T
    key = count_keys(pulls)[paid + unpaid, paid].sum()
    level = solve_bandit(3, pulls)[2]
    at = int(np.searchsorted(level.keys, key))
    chosen = (int(level.paid[at]), int(level.pulls[at] - level.paid[at]))
    values = [pulled(counts, arm, 4) for arm in range(3)]
    assert counts[int(np.argmax(values))] == chosen
    assert level.value[at] == pytest.approx(max(values), abs=1e-9)


@pytest.mark.parametrize(("arms", "pulls"), [(2, 7), (3, 6), (12, 5)])
def test_states_are_counted_without_being_made(arms: int, pulls: int) -> None:
    made = sum(len(level.keys) for level in solve_bandit(arms, pulls))
    assert count_states(arms, pulls) == made


def test_a_long_trial_has_too_many_states() -> None:
    assert count_states(5, 30) > STATES
