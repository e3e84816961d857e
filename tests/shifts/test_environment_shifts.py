"""Shifts of environments: rates, sums and optima against what they must be."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from engine.contract.run_spec import Choice
from engine.protocol import BatchSpec, Setting, Shift, TrialBatch
from engine.runner.context import build_part
from tests.tasks.drawing import setting, streams
from tests.tasks.rl.test_tabular import value_by_linear_program, walk
from tests.tasks.rl.trials import always, family, learner, returns, trials

WORLDS = ("tabular_mdp", "gridworld", "key_door", "navigation")


def shift(name: str) -> Shift:
    """Return a shift."""
    return build_part("shift", Choice(name=name), Shift)


def shifted(
    name: str, severity: float, world: str, count: int = 6, episodes: int = 4, **k: Any
) -> TrialBatch:
    """Draw the trials of `trials` under a shift."""
    clean: Setting = setting(family(world, **k), episodes)
    assert shift(name).why_not(clean) is None
    changed = shift(name).apply(clean, severity)
    found = changed.family.draw(changed, streams(count), "test", BatchSpec())
    assert isinstance(found, TrialBatch)
    return found


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(
    "name", ["action_noise", "observation_noise", "sparse_reward", "delayed_reward"]
)
def test_a_tiny_severity_plays_the_very_same_trial(name: str, world: str) -> None:
    """The change draws its own numbers: the luck of the environment is the same."""
    clean, hardly = trials(world, 6, 4), shifted(name, 1e-6, world)
    for one, two in zip(
        learner("random_actions").play({}, clean),
        learner("random_actions").play({}, hardly),
        strict=True,
    ):
        for field in ("observation", "reward", "expected"):
            torch.testing.assert_close(
                getattr(one, field), getattr(two, field), atol=1e-4, rtol=1e-4
            )


def test_discrete_actions_slip_with_the_chance_to_a_uniform_one() -> None:
    tasks = shifted("action_noise", 0.4, "gridworld", 10, 60, walls=0)
    # From the corner, only "up" and "right" leave; "stay" is asked for.
    path = always(tasks, 4).observation.argmax(-1)
    left = path[:, :, 1] != 0
    rate = stats.binomtest(int(left.sum()), left.numel(), 0.4 * 2 / 5)
    assert rate.pvalue > 1e-3


def test_the_optimum_counts_slips() -> None:
    tasks = shifted("action_noise", 0.3, "tabular_mdp", 2, states=4, actions=3, steps=5)
    for member in range(2):
        chances, pays = (
            tasks.parameters[n][member].double().numpy() for n in ("chances", "pays")
        )
        best = value_by_linear_program(chances, pays, 5, 0.3)
        assert tasks.optimum[member].tolist() == pytest.approx([best] * 4, rel=1e-5)


@pytest.mark.parametrize("world", ["gridworld", "key_door", "tabular_mdp"])
def test_an_oracle_earns_the_optimum_in_spite_of_slips(world: str) -> None:
    tasks = shifted("action_noise", 0.3, world, 60, 6)
    gap = (tasks.optimum - returns("oracle", tasks)).mean(1)
    assert abs(float(gap.mean())) < 4 * float(gap.std()) / 60**0.5


def test_continuous_actions_stay_within_their_bound() -> None:
    tasks = shifted("action_noise", 0.5, "navigation", 20, 2, steps=40)
    path = always(tasks, 0.05, 0.0).observation
    moves = path[:, :, 1:] - path[:, :, :-1]
    assert float(moves.abs().max()) <= 0.1 + 1e-6
    # Of the second coordinate: N(0, 0.05²), clipped at two standard deviations.
    inside = moves[..., 1][moves[..., 1].abs() < 0.0999].double()
    cut = stats.truncnorm(-1.998, 1.998, scale=0.05)
    assert stats.kstest(inside.numpy(), cut.cdf).pvalue > 1e-3


def test_observations_are_wrong_with_the_chance_and_the_walk_is_the_same() -> None:
    clean = always(trials("gridworld", 10, 30, walls=0), 1)
    seen = always(shifted("observation_noise", 0.3, "gridworld", 10, 30, walls=0), 1)
    wrong = (clean.observation != seen.observation).any(-1)
    rate = stats.binomtest(int(wrong.sum()), wrong.numel(), 0.3 * 24 / 25)
    assert rate.pvalue > 1e-3
    assert (seen.observation.sum(-1) == 1).all()
    assert torch.equal(clean.reward, seen.reward)


def test_positions_are_blurred_by_the_severity() -> None:
    clean = always(trials("navigation", 10, 3, steps=20), 0.1, 0.0)
    seen = always(
        shifted("observation_noise", 0.2, "navigation", 10, 3, steps=20), 0.1, 0
    )
    noise = (seen.observation - clean.observation).flatten().numpy()
    assert stats.kstest(noise / 0.2, "norm").pvalue > 1e-3


@pytest.mark.parametrize("severity", [1, 4, 500])
def test_delayed_rewards_are_paid_in_full_and_late(severity: int) -> None:
    clean = always(trials("tabular_mdp", 6, 4), 0)
    late = always(shifted("delayed_reward", severity, "tabular_mdp"), 0)
    torch.testing.assert_close(late.reward.sum(2), clean.reward.sum(2))
    torch.testing.assert_close(late.expected, clean.expected)
    every = min(1 + severity, 10)
    assert (late.reward != 0).sum(2).unique().tolist() == [-(-10 // every)]
    torch.testing.assert_close(
        late.reward[:, :, every - 1], clean.reward[..., :every].sum(2)
    )


def test_sparse_rewards_keep_their_mean() -> None:
    clean = always(trials("tabular_mdp", 10, 80), 0)
    rare = always(shifted("sparse_reward", 0.8, "tabular_mdp", 10, 80), 0)
    paid = rare.reward != 0
    assert stats.binomtest(int(paid.sum()), paid.numel(), 0.2).pvalue > 1e-3
    torch.testing.assert_close(rare.reward[paid], 5 * clean.reward[paid])
    torch.testing.assert_close(rare.expected, clean.expected)


def test_walls_move_halfway_and_every_episode_has_its_own_optimum() -> None:
    clean = trials("gridworld", 40, 6)
    moved = shifted("moved_walls", 1.0, "gridworld", 40, 6)
    goals = moved.parameters["goal"]
    assert torch.equal(goals, clean.parameters["goal"])
    before, after = moved.parameters["walls"].unbind(1)
    assert torch.equal(before, clean.parameters["walls"][:, 0])
    assert torch.equal(before.sum(1), after.sum(1))
    assert not (before & after).any(1).float().mean() > 0.2
    assert torch.equal(moved.optimum[:, :3], clean.optimum[:, :3])
    for leads, goal, best in zip(
        moved.parameters["leads"], goals, moved.optimum, strict=True
    ):
        moves = walk(leads.numpy(), 25, int(goal) + 25)
        expected = -0.1 * (moves - 1) + (15 - moves + 1)
        assert best[3:].tolist() == pytest.approx([expected] * 3, rel=1e-5)
    torch.testing.assert_close(returns("oracle", moved), moved.optimum)


def test_goals_lie_outside_the_square_of_training() -> None:
    tasks = shifted("goal_outside", 2.0, "navigation", 100)
    far = tasks.parameters["goal"].abs().amax(1).numpy() / 0.5
    assert far.min() >= 1
    # The largest of two uniform coordinates has density 2r.
    assert stats.kstest((far - 1) / 2, lambda r: np.clip(r, 0, 1) ** 2).pvalue > 1e-3
    torch.testing.assert_close(returns("oracle", tasks), tasks.optimum)


def test_shifts_say_where_they_do_not_fit() -> None:
    bandit, plane = (setting(family(n), 5) for n in ("bernoulli_bandit", "navigation"))
    assert "nothing to see" in str(shift("observation_noise").why_not(bandit))
    assert "one step" in str(shift("sparse_reward").why_not(bandit))
    assert "one step" in str(shift("delayed_reward").why_not(bandit))
    assert "no walls" in str(shift("moved_walls").why_not(plane))
    assert "no goals" in str(shift("goal_outside").why_not(bandit))
    short = setting(family("gridworld"), 1)
    assert "one episode" in str(shift("moved_walls").why_not(short))
    bare = setting(family("gridworld", walls=0), 5)
    assert "has no walls" in str(shift("moved_walls").why_not(bare))
