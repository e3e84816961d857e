"""The actor-critic against enumeration, and its advantages against their definition."""

import numpy as np
import pytest

from engine.algorithms.search.policy import softmax_policy
from engine.algorithms.search.policy.actor_critic import (
    PolicyBatch,
    UpdateSettings,
    compute_gradients,
    critic_explained_variance,
    decision_advantages,
    entropy_weights,
    take_adam_step,
)
from engine.algorithms.search.policy.actor_critic_nets import (
    ActorCriticNets,
    init_size,
    initial_actor_critic,
)
from engine.algorithms.search.policy.policy_search import UpdateContext
from engine.algorithms.search.policy.replay import ReplayEntry
from engine.algorithms.search.policy.sequence_policy import (
    LayerWeights,
    PolicyShape,
    draw_architectures,
)
from engine.learners.search.actor_critic import ActorCritic
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

FRAME = PolicyShape(TOY.radix, 2, 4)
NONE = np.full((1, TOY.size), np.nan)
CONTEXT = np.tile([0.4, -1.0], (1, TOY.size, 1))
PLAIN = UpdateSettings(1.0, 0.0, 0.0, 0.0, 0.1, 1.0)


def nets() -> ActorCriticNets:
    """Draw nets that are far from flat."""
    fresh = initial_actor_critic(
        FRAME, np.random.default_rng(3).normal(size=(1, init_size(FRAME)))
    )
    return fresh._replace(
        policy=2.0 * np.sin(3 + 40 * fresh.policy), value=np.sin(fresh.value)
    )


def every(chance: np.ndarray = NONE, counts: np.ndarray | None = None) -> PolicyBatch:
    """Return all architectures of the toy space at once."""
    counts = np.ones((1, TOY.size)) if counts is None else counts
    return PolicyBatch(EVERY[None], CONTEXT, REWARD[None], chance, counts)


def chances(policy: np.ndarray) -> np.ndarray:
    """Return the probability of every architecture."""
    found = compute_gradients(FRAME, nets()._replace(policy=policy), every(), PLAIN)
    return np.asarray(np.exp(softmax_policy.log_prob(found.prob, EVERY[None]))[0])


def alone(found: list[np.ndarray], chance: np.ndarray) -> np.ndarray:
    """Return the expectation of gradients that came one architecture at a time."""
    return np.asarray(np.einsum("a,aw->w", chance, np.concatenate(found)))


def one(index: int) -> PolicyBatch:
    """Return a batch of one architecture."""
    rows = every()
    return PolicyBatch(*(part[:, index : index + 1] for part in rows))


def test_chances_of_all_architectures_sum_to_one() -> None:
    np.testing.assert_allclose(chances(nets().policy).sum(), 1.0, atol=1e-12)


def test_what_is_drawn_is_as_likely_as_the_net_says() -> None:
    side = (np.arange(24) + 0.5) / 24
    uniform = np.stack(np.meshgrid(side, side, side, indexing="ij"), -1).reshape(
        1, -1, 3
    )
    context = np.tile(CONTEXT[:, :1], (1, uniform.shape[1], 1))
    codes, prob = draw_architectures(FRAME, nets().policy, context, uniform)
    share = np.bincount(TOY.index(codes[0]), minlength=TOY.size) / uniform.shape[1]
    np.testing.assert_allclose(share, chances(nets().policy), atol=0.05)
    again = compute_gradients(
        FRAME,
        nets(),
        PolicyBatch(codes, context, *np.zeros((3, *codes.shape[:2]))),
        PLAIN,
    )
    np.testing.assert_allclose(prob, again.prob, atol=1e-12)


@pytest.mark.parametrize("trace", [1.0])
def test_expected_policy_slope_is_the_gradient_of_expected_reward(trace: float) -> None:
    aim = PLAIN._replace(trace=trace)
    each = [
        compute_gradients(FRAME, nets(), one(i), aim).policy for i in range(TOY.size)
    ]
    mean = alone(each, chances(nets().policy))
    exact = steep(lambda flat: float(chances(flat) @ REWARD), nets().policy)
    np.testing.assert_allclose(mean, exact[0], atol=1e-8)


def test_with_a_perfect_critic_any_trace_has_no_bias() -> None:
    chance = chances(nets().policy)
    worth = np.zeros((TOY.size, 3))
    for place in range(3):
        for i, codes in enumerate(EVERY):
            same = (EVERY[:, :place] == codes[:place]).all(1)
            worth[i, place] = chance[same] @ REWARD[same] / chance[same].sum()
    prob = compute_gradients(FRAME, nets(), every(), PLAIN).prob[0]
    score = softmax_policy.log_prob_gradient(prob, EVERY)
    means = [
        np.einsum(
            "a,ap,apo->po", chance, decision_advantages(REWARD, worth, trace), score
        )
        for trace in (0.0, 0.5, 1.0)
    ]
    np.testing.assert_allclose(means[0][0], means[2][0], atol=1e-12)
    np.testing.assert_allclose(means[1], means[2], atol=1e-12)


def test_value_slope_fits_the_rewards() -> None:
    def fit(flat: np.ndarray) -> float:
        worth = compute_gradients(
            FRAME, nets()._replace(value=flat), every(), PLAIN
        ).values
        return float(-0.5 * ((REWARD[None, :, None] - worth) ** 2).sum() / TOY.size)

    found = compute_gradients(FRAME, nets(), every(), PLAIN).value
    np.testing.assert_allclose(found, steep(fit, nets().value), atol=1e-8)


def test_entropy_slope_is_that_of_the_visited_decisions() -> None:
    aim = PLAIN._replace(entropy=1.0)

    def entropy(flat: np.ndarray) -> float:
        prob = compute_gradients(
            FRAME, nets()._replace(policy=flat), every(), PLAIN
        ).prob
        return float(softmax_policy.entropies(prob).sum() / TOY.size)

    with_bonus, without = (
        compute_gradients(FRAME, nets(), every(), a).policy for a in (aim, PLAIN)
    )
    exact = steep(entropy, nets().policy)
    np.testing.assert_allclose(with_bonus - without, exact, atol=1e-8)


def test_advantages_are_the_discounted_sum_of_errors() -> None:
    rng = np.random.default_rng(0)
    worth, reward = rng.normal(size=(4, 5)), rng.normal(size=4)
    following = np.concatenate([worth[:, 1:], reward[:, None]], 1)
    errors = following - worth
    for trace in (0.0, 0.3, 0.95, 1.0):
        exact = [
            sum(trace ** (j - i) * errors[:, j] for j in range(i, 5)) for i in range(5)
        ]
        found = decision_advantages(reward, worth, trace)
        np.testing.assert_allclose(found, np.stack(exact, 1), atol=1e-12)
    np.testing.assert_allclose(
        decision_advantages(reward, worth, 0.0), errors, atol=1e-12
    )
    np.testing.assert_allclose(
        decision_advantages(reward, worth, 1.0), reward[:, None] - worth, atol=1e-12
    )


def test_clipped_weights_of_equal_policies_are_on_policy() -> None:
    aim = UpdateSettings(0.9, 0.1, 0.0, 1.2, 0.1, 1.0)
    fresh = compute_gradients(FRAME, nets(), every(), aim)
    now = softmax_policy.log_prob(fresh.prob, EVERY[None])
    again = compute_gradients(FRAME, nets(), every(now), aim)
    np.testing.assert_allclose(fresh.policy, again.policy, atol=1e-12)
    rarer = compute_gradients(FRAME, nets(), every(now - np.log(5.0)), aim)
    np.testing.assert_allclose(rarer.policy, 1.2 * fresh.policy, atol=1e-12)


def test_what_does_not_count_teaches_nothing() -> None:
    counts = (np.arange(TOY.size) < 5)[None] * 1.0
    some = PolicyBatch(*(part[:, :5] for part in every()))
    few = compute_gradients(FRAME, nets(), every(counts=counts), PLAIN)
    np.testing.assert_allclose(
        few.policy, compute_gradients(FRAME, nets(), some, PLAIN).policy, atol=1e-12
    )


def test_what_was_just_drawn_is_on_policy_and_replays_keep_their_chances() -> None:
    learner, tasks = ActorCritic(replay=2), landscapes(1, 5)
    learning = learner.update_context(tasks, np.zeros((1, 1, 0)), 0.1)
    learning = learning._replace(uniform=np.array([[0.0, 0.1, 0.9]]))
    normal = np.zeros((1, init_size(learning.frame)))
    state = learner.start(tasks, initial_actor_critic(learning.frame, normal))
    live, codes = np.array([True]), np.ones((1, 4), np.int64)
    told = Evaluation(1, codes, np.zeros(1), np.array([0.6]), np.array([0.6]), live)
    state = state._replace(
        memory=learner.store_evaluation(
            state.memory,
            ReplayEntry(0 * codes, np.array([0.2]), np.array([-7.0])),
            np.zeros(1),
            live,
        ),
        running=state.running.update(np.array([0.2]), live),
    )
    running = state.running.update(np.array([0.6]), live)
    found = learner.build_batch(state, told, running, learning)
    np.testing.assert_array_equal(found.log_prob, [[np.nan, -7.0, -7.0]])
    np.testing.assert_allclose(found.reward, [[1.0, -1.0, -1.0]])
    np.testing.assert_array_equal(found.codes[0], [[1] * 4, [0] * 4, [0] * 4])
    assert (found.counts == 1).all()


def test_a_second_update_weighs_by_what_the_first_made_of_the_policy() -> None:
    aim = PLAIN._replace(clip=1.5)
    learning = UpdateContext(FRAME, CONTEXT, aim, np.zeros((1, 0)))
    found, first, chance = ActorCritic(updates=2).update_nets(nets(), every(), learning)
    now = softmax_policy.log_prob(first.prob, EVERY[None])
    np.testing.assert_array_equal(chance, now)
    once = take_adam_step(nets(), compute_gradients(FRAME, nets(), every(), aim), aim)
    twice = take_adam_step(once, compute_gradients(FRAME, once, every(now), aim), aim)
    np.testing.assert_array_equal(found.policy, twice.policy)
    np.testing.assert_array_equal(found.value, twice.value)


def test_the_entropy_weight_rises_below_the_floor_alone() -> None:
    most = np.log(TOY.size)
    prob = compute_gradients(FRAME, nets(), every(), PLAIN).prob
    share = float(softmax_policy.entropies(prob).sum(-1).mean() / most)
    aim = PLAIN._replace(entropy=0.2)
    ones = np.ones((1, TOY.size))
    for floor, weight in ((0.0, 0.2), (0.9 * share, 0.2), (2 * share, 0.2 + 1.5)):
        found = entropy_weights(FRAME, prob, ones, aim._replace(floor=floor))
        np.testing.assert_allclose(found, [[weight]])
    sharp = {"entropy": 0.0, "rate": 0.05, "replay": 0}
    tasks = landscapes(20, 80)
    free, kept = (
        traces(ActorCritic(**sharp, floor=floor), tasks)["entropy"][:, -20:].mean()
        for floor in (0.0, 0.5)
    )
    assert free < 0.1 * np.log(tasks.space.size) < kept


def test_layers_are_cut_where_they_were_joined() -> None:
    flat = np.arange(FRAME.weight_count(3), dtype=float)[None]
    parts = LayerWeights.from_flat(flat, FRAME, 3)
    joined = np.concatenate([part.reshape(1, -1) for part in parts], 1)
    np.testing.assert_array_equal(joined, flat)


def test_foreseen_variance_of_perfect_blind_and_constant() -> None:
    reward = np.array([[0.0, 1.0, 2.0, 5.0]])
    perfect = np.repeat(reward[..., None], 3, 2)
    assert critic_explained_variance(reward, perfect)[0] == 1.0
    assert critic_explained_variance(reward, np.zeros_like(perfect))[0] == 0.0
    assert critic_explained_variance(reward, -perfect)[0] == pytest.approx(-3.0)
    assert np.isnan(critic_explained_variance(np.ones((1, 4)), perfect))[0]
    gap = perfect.copy()
    gap[:, 3] = np.nan
    short = critic_explained_variance(reward[:, :3], perfect[:, :3] * 0.5)
    np.testing.assert_allclose(critic_explained_variance(reward, gap * 0.5), short)


def test_it_beats_search_that_never_moves_and_sees_nothing_of_itself() -> None:
    tasks = landscapes(80, 50, rugged=0, size=6)
    still, mine = (traces(ActorCritic(rate=rate), tasks) for rate in (1e-5, 0.02))
    gap = still["regret"].mean(1) - mine["regret"].mean(1)
    assert surely(gap) > 0
    most = np.log(tasks.space.size)
    np.testing.assert_allclose(mine["entropy"][:, 0], most, rtol=0.01)
    assert np.isnan(mine["value_loss"][:, 0]).all()
    assert np.nanmean(mine["explained_variance"][:, -1]) > 0.05
