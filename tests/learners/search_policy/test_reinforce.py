"""REINFORCE against enumeration, against random search, and its remedies."""

import numpy as np
import pytest

from engine.algorithms.search.policy import softmax_policy
from engine.algorithms.search.proposals import uniform_codes
from engine.learners.baseline.random_search import RandomSearch
from engine.learners.search.reinforce import Reinforce
from engine.protocol import Evaluation
from tests.learners.search_policy.made import (
    EVERY,
    REWARD,
    TOY,
    landscapes,
    steep,
    surely,
    traces,
)

LOGITS = np.array([[0.3, -0.8, -np.inf], [0.1, 0.9, -0.4], [-0.2, 0.5, -np.inf]])
THERE = np.isfinite(LOGITS)


def filled(numbers: np.ndarray) -> np.ndarray:
    """Put numbers where the toy space has options."""
    found = np.full(LOGITS.shape, -np.inf)
    found[THERE] = numbers
    return found


def chances(logits: np.ndarray) -> np.ndarray:
    """Return the probability of every architecture of the toy space."""
    prob = np.repeat(softmax_policy.probabilities(logits)[None], TOY.size, 0)
    return np.asarray(np.exp(softmax_policy.log_prob(prob, EVERY)))


def test_flat_policy_is_random_search_with_replacement() -> None:
    tasks = landscapes(6, 40)
    one = traces(Reinforce(rule="frozen"), tasks)
    two = traces(RandomSearch(repeats=True), tasks)
    for name in two:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


@pytest.mark.parametrize("options", [2, 3, 5, 7])
def test_flat_logits_choose_as_uniform_numbers_do(options: int) -> None:
    uniform = np.random.default_rng(options).random((20_000, 1))
    edges = np.arange(options)[:, None] / options
    uniform = np.concatenate(
        [uniform, edges, np.nextafter(edges[1:], 0), [[1 - 2**-53]]]
    )
    space = TOY.__class__("one", ("a",), (tuple("abcdefg"[:options]),))
    flat = softmax_policy.flat_logits(space, len(uniform))
    np.testing.assert_array_equal(
        softmax_policy.choose_options(flat, uniform), uniform_codes(space, uniform)
    )


def test_choices_are_as_likely_as_their_shares() -> None:
    uniform = (np.arange(30_000) + 0.5) / 30_000
    rows = np.broadcast_to(LOGITS[1], (len(uniform), 3))
    found = np.bincount(softmax_policy.choose_options(rows, uniform)) / len(uniform)
    np.testing.assert_allclose(
        found, softmax_policy.probabilities(LOGITS[1]), atol=1e-4
    )


@pytest.mark.parametrize("average", [0.0, 0.03])
def test_expected_step_is_the_gradient_of_expected_reward(average: float) -> None:
    learner = Reinforce(rule="sgd", entropy=0.0)
    tasks = landscapes(TOY.size, 1)
    state = learner.start(tasks)._replace(logits=np.tile(LOGITS, (TOY.size, 1, 1)))
    seen = softmax_policy.RunningReward.empty(TOY.size)
    always = np.ones(TOY.size, bool)
    state = state._replace(
        running=seen.update(REWARD, always), average=np.full(TOY.size, average)
    )
    told = Evaluation(1, EVERY, always, REWARD, REWARD, always)
    prob = softmax_policy.probabilities(state.logits)
    each = learner.policy_gradient(state, prob, told, np.zeros((TOY.size, 0)))
    mean = np.einsum("a,apo->po", chances(LOGITS), each)
    exact = steep(lambda n: float(chances(filled(n)) @ REWARD), LOGITS[THERE])
    np.testing.assert_allclose(mean[THERE], exact, atol=1e-8)
    assert (mean[~THERE] == 0).all()


def test_entropy_slope_is_its_derivative() -> None:
    exact = steep(
        lambda n: float(
            softmax_policy.entropies(softmax_policy.probabilities(filled(n))).sum()
        ),
        LOGITS[THERE],
    )
    found = softmax_policy.entropy_gradient(softmax_policy.probabilities(LOGITS))
    np.testing.assert_allclose(found[THERE], exact, atol=1e-8)


def test_entropy_is_that_of_all_architectures() -> None:
    every = chances(LOGITS)
    found = softmax_policy.entropies(softmax_policy.probabilities(LOGITS)).sum()
    np.testing.assert_allclose(found, -(every * np.log(every)).sum(), atol=1e-12)
    other = LOGITS[::-1] + np.where(THERE, 0.0, -np.inf)
    other = np.where(THERE, np.nan_to_num(other, neginf=0.0), -np.inf)
    kl = softmax_policy.policy_kl(
        softmax_policy.probabilities(LOGITS)[None],
        softmax_policy.probabilities(other)[None],
    )
    exact = (every * np.log(every / chances(other))).sum()
    np.testing.assert_allclose(kl, exact, atol=1e-12)


@pytest.mark.parametrize("floor", [0.2, 0.5, 0.9])
def test_floor_keeps_just_its_share_of_the_entropy(floor: float) -> None:
    sharp, flat = LOGITS * 30.0, np.where(THERE, 0.0, -np.inf)
    found = softmax_policy.temper_logits(np.stack([sharp, flat]), floor)
    entropy = softmax_policy.entropies(softmax_policy.probabilities(found)).sum(-1)
    most = np.log(TOY.size)
    np.testing.assert_allclose(entropy, [floor * most, most], rtol=1e-6)
    np.testing.assert_array_equal(found[1], flat)
    np.testing.assert_array_equal(found[0].argmax(-1), LOGITS.argmax(-1))


def test_traced_entropy_starts_at_ln_of_the_size_and_keeps_the_floor() -> None:
    tasks = landscapes(8, 80)
    most = np.log(tasks.space.size)
    fast = {"rate": 1.0, "entropy": 0.0}
    free = traces(Reinforce(**fast), tasks)["entropy"]
    kept = traces(Reinforce(**fast, floor=0.4), tasks)["entropy"]
    np.testing.assert_allclose(free[:, 0], most, rtol=1e-5)
    assert free[:, -1].max() < 0.1 * most
    assert kept.min() >= 0.4 * most * (1 - 1e-6)


@pytest.mark.parametrize("rule", ["adam", "sgd"])
def test_learning_beats_its_own_flat_policy(rule: str) -> None:
    tasks = landscapes(300, 40, rugged=0, size=6)
    rate = {"adam": 0.2, "sgd": 2.0}[rule]
    flat = traces(Reinforce(rule="frozen"), tasks)["regret"].mean(1)
    mine = traces(Reinforce(rule=rule, rate=rate), tasks)["regret"].mean(1)
    assert surely(flat - mine) > 0


def test_a_spent_budget_moves_nothing() -> None:
    tasks = landscapes(3, 30)
    found = traces(
        Reinforce(rate=1.0), tasks.__class__(**{**vars(tasks), "budget": 90.0})
    )
    live = np.isfinite(found["architecture"])
    assert live[:, :10].all() and not live[:, 10:].any()
    assert (found["kl"][:, 1:10] > 0).all()
    assert (found["kl"][:, 10:] == 0).all()
