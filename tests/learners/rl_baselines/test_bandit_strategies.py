"""Strategies for bandits play as their definitions say, arm by arm."""

import numpy as np
import pytest
import torch

from engine.algorithms.rl.bandits.bandit_strategy import ArmCounts, BanditStrategy
from engine.algorithms.rl.bandits.bayes_optimum import optimal_value
from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.learners.baseline.bayes_optimum import BayesOptimum
from engine.learners.baseline.epsilon_greedy import EpsilonGreedy
from engine.learners.baseline.gittins import Gittins
from engine.learners.baseline.greedy import Greedy
from engine.learners.baseline.thompson import Thompson
from engine.learners.baseline.ucb1 import Ucb1
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Family, Meta, Setting, TrialBatch
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit
from engine.tasks.rl.gaussian_bandit import GaussianBandit
from tests.laws.small import events, learner_spec
from tests.tasks.rl.trials import learner, trials

NOBODY = Meta({}, {})


def draw(family: Family, pulls: int, count: int) -> TrialBatch:
    """Draw some bandits."""
    streams = [Rng(1).child("test", 0, task) for task in range(count)]
    setting = Setting(family, Mlp(width=4), pulls)
    batch = family.draw(setting, streams, "test", BatchSpec())
    assert isinstance(batch, TrialBatch)
    return batch


def chances(
    strategy: BanditStrategy,
    pulls: list[float],
    total: list[float],
    family: Family | None = None,
) -> list[float]:
    """Return a strategy's policy after what was seen of three arms."""
    tasks = draw(family or BernoulliBandit(arms=3), 10, 1)
    prior = (2.0, 1.0) if family is None else (1.0, 0.0)
    seen = ArmCounts(torch.tensor([[pulls]]), torch.tensor([[total]]), *prior)
    found: list[float] = strategy.chances(seen, tasks)[0, 0].tolist()
    return found


def rewards(strategy: BanditStrategy, tasks: TrialBatch) -> np.ndarray:
    """Return the expected reward of each trial, given its pulls."""
    (trace,) = strategy.adapt(NOBODY, tasks)
    return (tasks.optimum - trace.traces["episode_regret"]).sum(1).numpy()


def test_the_bayes_optimum_earns_what_its_dynamic_program_promises() -> None:
    got = rewards(BayesOptimum(), draw(BernoulliBandit(arms=5), 10, 6000))
    error = got.std() / len(got) ** 0.5
    assert error < 0.04
    assert abs(got.mean() - optimal_value(5, 10)) < 3 * error


def test_no_strategy_beats_the_bayes_optimum_and_gittins_comes_close() -> None:
    tasks = draw(BernoulliBandit(arms=3), 12, 800)
    best = rewards(BayesOptimum(), tasks)
    others = (Gittins(), Greedy(), EpsilonGreedy(), Thompson(), Ucb1())
    lost = [best - rewards(strategy, tasks) for strategy in others]
    for gap in lost:
        assert gap.mean() > -3 * gap.std() / len(gap) ** 0.5
    assert lost[0].mean() < 0.01 * best.mean()
    assert lost[3].mean() > 0.05 * best.mean()  # Thompson sampling explores too long


def test_greedy_takes_an_arm_never_pulled_for_one_half() -> None:
    assert chances(Greedy(), [2, 1, 0], [1, 0, 0]) == [1, 0, 0]
    assert chances(Greedy(), [1, 1, 0], [0, 0, 0]) == [0, 0, 1]


def test_greedy_takes_a_gaussian_arm_never_pulled_for_0() -> None:
    family = GaussianBandit(arms=3)
    assert chances(Greedy(), [1, 1, 0], [-1, 0.1, 0], family) == [0, 1, 0]
    assert chances(Greedy(), [1, 1, 0], [-1, -0.1, 0], family) == [0, 0, 1]


def test_epsilon_greedy_shares_epsilon_among_all_arms() -> None:
    found = chances(EpsilonGreedy(epsilon=0.3), [2, 1, 0], [2, 0, 0])
    assert found == pytest.approx([0.8, 0.1, 0.1])


def test_the_bound_of_ucb1_is_its_formula() -> None:
    # Means 4/7 and 4/8 after 11 pulls: with c = 1 the bounds are 1.41 and 1.29 …
    assert chances(Ucb1(width=0.0), [5, 6, 0], [3, 3, 0]) == [1, 0, 0]
    # … and that of the arm never pulled, 1/2 + √(ln 12), is 2.08.
    assert chances(Ucb1(width=1.0), [5, 6, 0], [3, 3, 0]) == [0, 0, 1]
    # It overtakes where c (√(ln 12) − √(2 ln 12 / 7)) = 4/7 − 1/2: c = 0.0974.
    assert chances(Ucb1(width=0.096), [5, 6, 0], [3, 3, 0]) == [1, 0, 0]
    assert chances(Ucb1(width=0.099), [5, 6, 0], [3, 3, 0]) == [0, 0, 1]


def test_thompson_pulls_an_arm_as_often_as_drawn_means_are_highest() -> None:
    found = chances(Thompson(), [4, 1, 0], [3, 0, 0])
    draws = np.random.default_rng(0).beta([4, 1, 1], [2, 2, 1], (40_000, 3))
    share = np.bincount(draws.argmax(1), minlength=3) / len(draws)
    np.testing.assert_allclose(found, share, atol=0.01)


def test_thompson_knows_the_posterior_of_gaussian_arms() -> None:
    found = chances(Thompson(), [3, 1, 0], [2, 1, 0], GaussianBandit(arms=3))
    # N(0, 1) prior and unit variance: mean Σr / (1 + n), variance 1 / (1 + n).
    means, spread = np.array([0.5, 0.5, 0.0]), np.array([0.5, 0.5**0.5, 1.0])
    draws = np.random.default_rng(0).normal(means, spread, (40_000, 3))
    share = np.bincount(draws.argmax(1), minlength=3) / len(draws)
    np.testing.assert_allclose(found, share, atol=0.01)


@pytest.mark.parametrize("strategy", [Gittins(), BayesOptimum()])
def test_what_needs_bernoulli_arms_says_so(strategy: BanditStrategy) -> None:
    assert strategy.why_not(NOBODY, draw(BernoulliBandit(), 10, 1)) is None
    reason = strategy.why_not(NOBODY, draw(GaussianBandit(), 10, 1))
    assert reason is not None
    assert "not for gaussian arms" in reason


@pytest.mark.parametrize(
    ("name", "family", "said"),
    [
        ("gittins", "gaussian_bandit", "gittins cannot play: .* not for gaussian arms"),
        ("oracle", "acrobot", "oracle cannot play: the best action is not known here"),
    ],
)
def test_a_run_with_a_strategy_that_cannot_play_ends_in_one_sentence(
    name: str, family: str, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        list(events(learner_spec(name, family)))


@pytest.mark.parametrize(
    "name", ["bayes_optimum", "epsilon_greedy", "gittins", "greedy", "thompson", "ucb1"]
)
@pytest.mark.parametrize("family", ["navigation", "tabular_mdp"])
def test_a_strategy_for_bandits_plays_nothing_else(name: str, family: str) -> None:
    reason = learner(name).why_not(NOBODY, trials(family, 1, 2))
    assert reason is not None
    assert "not bandits" in reason


def test_too_many_states_are_refused_with_their_size() -> None:
    reason = BayesOptimum().why_not(NOBODY, draw(BernoulliBandit(), 100, 1))
    assert reason is not None
    assert "5 arms and 100 pulls" in reason
    assert Gittins().why_not(NOBODY, draw(BernoulliBandit(), 100, 1)) is None
    assert Gittins().why_not(NOBODY, draw(BernoulliBandit(), 200, 1)) is not None
