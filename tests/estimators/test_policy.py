"""Policy gradient and PPO, against closed forms and against each other."""

import math

import pytest
import torch
from torch import Tensor

from engine.algorithms.advantages import advantages
from engine.algorithms.optimization.learned_optimizer import RuleProblem
from engine.algorithms.optimization.training_loop import objective
from engine.algorithms.rl.policy_estimator import (
    PolicyEstimator,
    branch,
    policy_loss,
    replicate_gradients,
    require_policy,
)
from engine.algorithms.rl.returns import (
    entropy,
    explained_variance,
    gaussian_kl,
    log_density,
    normalize_advantages,
    rewards,
)
from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.estimators.policy_gradient import PolicyGradient
from engine.estimators.ppo import Ppo
from engine.learners.optimizer.mlp_optimizer import MlpOptimizer
from engine.outers.adam import Adam
from engine.protocol import Meta, UnrollWindow
from tests.estimators.test_evolution_strategy import controlled
from tests.estimators.worlds import DOUBLE, Bandit, Influence, estimates, lesson_of


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(
        *shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE
    )


def test_advantages_are_the_double_sum_of_their_definition() -> None:
    gain, values, discount, trace = drawn(3, 7), drawn(3, 7, seed=1), 0.9, 0.8
    following = torch.cat([values[:, 1:], torch.zeros(3, 1, dtype=DOUBLE)], 1)
    errors = gain + discount * following - values
    found = advantages(gain, values, discount, trace)
    for t in range(7):
        slow = sum((discount * trace) ** (s - t) * errors[:, s] for s in range(t, 7))
        torch.testing.assert_close(found[:, t], slow)


def test_with_full_trace_advantages_are_returns_less_values() -> None:
    gain, values = drawn(2, 5), drawn(2, 5, seed=1)
    togo = torch.stack([gain[:, t:].sum(1) for t in range(5)], 1)
    torch.testing.assert_close(advantages(gain, values, 1.0, 1.0), togo - values)


def test_rewards_sum_to_the_whole_drop() -> None:
    level = drawn(4, 9)
    gain = rewards(level[:, :-1], level[:, 1:])
    torch.testing.assert_close(gain.sum(1), level[:, 0] - level[:, -1])


def test_normalized_advantages_put_a_chaotic_task_on_the_scale_of_the_others() -> None:
    worth = drawn(2, 6, 3, 4)
    worth[:, :, 1] *= 1e4
    found = normalize_advantages(worth)
    torch.testing.assert_close(found.mean(1), torch.zeros(2, 3, 4, dtype=DOUBLE))
    size = found.square().mean((1, 3))
    torch.testing.assert_close(size, torch.ones(2, 3, dtype=DOUBLE))


def test_a_perfect_critic_explains_all_and_a_constant_nothing() -> None:
    returns = drawn(2, 3, 4)
    ones = torch.ones(2, dtype=DOUBLE)
    torch.testing.assert_close(explained_variance(returns, returns), ones)
    blank = explained_variance(torch.full_like(returns, 3.0), returns)
    torch.testing.assert_close(blank, 0 * ones)


def test_densities_are_torchs() -> None:
    mean, log_std, action = drawn(5), 0.3 * drawn(5, seed=1), drawn(5, seed=2)
    normal = torch.distributions.Normal(mean, log_std.exp())
    torch.testing.assert_close(
        log_density(action, mean, log_std), normal.log_prob(action)
    )
    torch.testing.assert_close(entropy(log_std), normal.entropy())
    other = torch.distributions.Normal(action, torch.full_like(mean, 0.7))
    moved = action, torch.full_like(mean, math.log(0.7))
    torch.testing.assert_close(
        gaussian_kl((mean, log_std), moved),
        torch.distributions.kl_divergence(normal, other),
    )


def test_the_score_function_gives_the_slope_of_the_expected_loss() -> None:
    """E(a − c)² has slopes 2 (μ − c) in μ and 2 σ² in ln σ."""
    mean, target, sigma, count = 0.5, 1.5, 0.4, 200_000
    theta = {
        "mean": torch.full((1, 1), mean, dtype=DOUBLE, requires_grad=True),
        "log_std": torch.full(
            (1, 1), math.log(sigma), dtype=DOUBLE, requires_grad=True
        ),
    }
    action = mean + sigma * drawn(1, count)
    loss = (action - target).square()
    credit = loss.mean() - loss
    density = log_density(action, theta["mean"], theta["log_std"])
    found = replicate_gradients(
        policy_loss(density, credit, theta["log_std"], 0.0), theta
    )
    assert found["mean"].item() == pytest.approx(2 * (mean - target), abs=0.04)
    assert found["log_std"].item() == pytest.approx(2 * sigma**2, abs=0.02)


def test_the_policy_gradient_of_a_bandit_is_its_closed_form() -> None:
    """The slopes above, over the spread of a task's loss: 4 (μ − c)² σ² + 2 σ⁴."""
    mean, sigma, rollouts = 0.5, 0.4, 64
    bandit = Bandit(replicates=100, tasks=8)
    estimator = PolicyGradient(rollouts=rollouts, entropy=0.0, value_steps=0)
    weights = bandit.start(mean, math.log(sigma))
    grads = estimates(estimator, bandit, weights, 1)[0].grads
    assert grads is not None
    gap = mean - bandit.target
    size = math.sqrt(4 * gap**2 * sigma**2 + 2 * sigma**4)
    own_share = 1 - 1 / rollouts  # a rollout is part of its own baseline
    for name, slope in {"mean": 2 * gap, "log_std": 2 * sigma**2}.items():
        found, expected = grads[name][:, 0], own_share * slope / size
        error = found.std() / 10
        assert abs(found.mean() - expected) < 4 * error + 0.03 * abs(expected)
        assert error < abs(expected) / 5


def test_an_entropy_bonus_widens_the_policy_at_its_own_rate() -> None:
    bandit = Bandit(replicates=2, tasks=2)
    weights = bandit.start(0.0, -1.0)
    plain, curious = (
        estimates(PolicyGradient(entropy=e), bandit, weights, 1)[0].grads
        for e in (0.0, 0.25)
    )
    assert plain is not None
    assert curious is not None
    torch.testing.assert_close(curious["log_std"], plain["log_std"] - 0.25)
    assert torch.equal(curious["mean"], plain["mean"])


@pytest.mark.parametrize("estimator", [PolicyGradient(), Ppo(lr=0.05)])
def test_a_policy_finds_the_best_action(estimator: PolicyEstimator) -> None:
    bandit = Bandit(replicates=3, tasks=8)
    outer, weights = Adam(lr=0.05), bandit.start(0.0, -1.0)
    memory, state = estimator.memory(weights, bandit), outer.start(weights)
    for step in range(120):
        meta = Meta(weights, memory)
        found = estimator.estimate(meta, bandit, lesson_of(bandit, step, 1))
        memory = found.memory
        if found.grads is None:
            assert found.weights is not None
            weights = found.weights
        else:
            weights, state = outer.step(weights, found.grads, state)
    torch.testing.assert_close(
        weights["mean"], torch.full((3, 1), 1.5, dtype=DOUBLE), rtol=0, atol=0.15
    )


def test_ppo_without_a_clip_begins_with_the_policy_gradient() -> None:
    problem, weights = controlled()
    plain = estimates(PolicyGradient(), problem, weights, 1)[0].grads
    ppo = Ppo(clip=10.0)
    found = ppo.run_rollouts(
        Meta(weights, ppo.memory(weights, problem)), problem, lesson_of(problem, 0, 1)
    )
    old = problem.policy(weights, found.signals)
    grads = ppo.surrogate_gradient(weights, problem, found, old)
    assert plain is not None
    assert plain["w0"].abs().max() > 1e-3
    for name, grad in plain.items():
        torch.testing.assert_close(grads[name], grad, rtol=1e-9, atol=1e-12)


def test_one_epoch_of_ppo_is_one_adam_step_of_the_policy_gradient() -> None:
    problem, weights = controlled()
    plain = estimates(PolicyGradient(), problem, weights, 1)[0].grads
    moved = estimates(Ppo(epochs=1, lr=0.01), problem, weights, 1)[0].weights
    assert plain is not None
    assert moved is not None
    adam = Adam(lr=0.01, clip=1.0)
    expected, _ = adam.step(weights, plain, adam.start(weights))
    for name, value in expected.items():
        torch.testing.assert_close(moved[name], value, rtol=0, atol=1e-6)


def test_ppo_stops_moving_an_action_that_has_become_likely_enough() -> None:
    bandit = Bandit(replicates=1, tasks=1)
    weights = bandit.start(0.0, 0.0)
    ppo = Ppo(clip=0.1, entropy=0.0, rollouts=2)
    found = ppo.run_rollouts(
        Meta(weights, ppo.memory(weights, bandit)), bandit, lesson_of(bandit, 0, 1)
    )
    good = found.action[found.credit > 0].mean()
    far = {"mean": weights["mean"] + good * 2, "log_std": weights["log_std"] - 1.0}
    old = bandit.policy(weights, found.signals)
    assert ppo.surrogate_gradient(weights, bandit, found, old)["mean"].any()
    near = {k: weights[k] + 0.9 * (far[k] - weights[k]) for k in far}
    ratio = (
        log_density(found.action, *bandit.policy(near, found.signals))
        - log_density(found.action, *old)
    ).exp()
    beyond = torch.where(found.credit > 0, ratio > 1.1, ratio < 0.9)
    still = ppo.surrogate_gradient(near, bandit, found, old)["mean"].any()
    assert bool(still) is not bool(beyond.all())


def test_a_tighter_clip_keeps_the_policy_nearer_to_what_it_was() -> None:
    problem, weights = controlled()
    moves = [
        estimates(Ppo(epochs=30, clip=clip), problem, weights, 1)[0].info["kl"]
        for clip in (0.02, 10.0)
    ]
    assert (moves[0] < 0.5 * moves[1]).all()


def test_the_critic_learns_what_to_expect() -> None:
    problem, weights = controlled(tasks=6)
    found = estimates(PolicyGradient(rollouts=8), problem, weights, 12)
    first, last = (found[i].info["explained_variance"] for i in (0, -1))
    assert (first.abs() < 0.5).all()
    assert (last > first + 0.2).all()
    assert (found[-1].info["value_loss"] < found[0].info["value_loss"]).all()


def test_what_is_written_down_is_what_was_seen_and_drawn() -> None:
    """The reward of an action is the drop right after it; the action is unclamped."""
    problem, weights = controlled()
    rngs = tuple(Rng(5).child(r) for r in range(2))
    start = problem.begin(1)
    _, after, wrote = problem.segment(weights, start, UnrollWindow(0, 6, rngs=rngs))
    assert torch.equal(wrote["before"][:, 1:], after[:, :-1])
    first = problem.batch.gradient(problem.batch.start(), 0).loss
    torch.testing.assert_close(wrote["before"][:, 0], objective(first))
    seen = wrote["seen"].unflatten(0, (2, 3)).permute(0, 3, 1, 2, 4).flatten(2)
    mean, log_std = problem.policy(weights, seen)
    scaled = (wrote["action"].reshape(2, -1) - mean) * (-log_std).exp()
    assert 0.5 < scaled.std() < 1.5
    again = problem.segment(weights, problem.begin(1), UnrollWindow(0, 6, rngs=rngs))[2]
    assert torch.equal(again["action"], wrote["action"])


def test_layers_are_credited_each_for_its_own_action() -> None:
    problem, weights = controlled()
    learner = problem.learner.model_copy(update={"scope": "layer"})
    layered = RuleProblem(learner, problem.batch)
    actor = PolicyGradient(rollouts=3)
    memory = actor.memory(weights, layered)
    found = actor.run_rollouts(Meta(weights, memory), layered, lesson_of(layered, 0, 1))
    assert found.action.shape == (2, 3 * 3 * 6 * 2)
    assert found.returns.shape == (2, 3 * 3 * 6)
    pairs = found.credit.unflatten(1, (-1, 2))
    assert torch.equal(pairs[..., 0], pairs[..., 1])
    assert branch(actor.fit_value_function(memory, found), "critic").keys() == {
        "w0",
        "b0",
        "w1",
        "b1",
    }


def test_a_problem_without_a_policy_is_refused() -> None:
    with pytest.raises(Refused, match="no policy"):
        require_policy(Influence())
    problem, weights = controlled()
    silent = RuleProblem(MlpOptimizer(), problem.batch)
    with pytest.raises(Refused, match="no policy"):
        silent.policy(weights, torch.zeros(2, 1, 1))


def test_a_critic_of_equal_returns_explains_nan() -> None:
    alike, other = torch.full((1, 4), 0.7), torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    found = explained_variance(torch.cat([other, other]), torch.cat([alike, other]))
    assert found[0].isnan() and found[1] == 1.0
