"""Bandits pay what their parameters say, and their optimum is the best arm's mean."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Family, Setting, TrialBatch
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit
from engine.tasks.rl.drifting_bandit import DriftingBandit
from engine.tasks.rl.gaussian_bandit import GaussianBandit


def draw(family: Family, pulls: int, count: int) -> TrialBatch:
    """Draw some bandits."""
    streams = [Rng(2).child("test", 0, task) for task in range(count)]
    setting = Setting(family, Mlp(width=4), pulls)
    batch = family.draw(setting, streams, "test", BatchSpec())
    assert isinstance(batch, TrialBatch)
    return batch


def pull(tasks: TrialBatch, arm: int) -> tuple[np.ndarray, np.ndarray]:
    """Pull one arm at every episode; returns rewards and means, (member, episode)."""
    world, episodes = tasks.environment, torch.arange(tasks.horizon)
    state = world.start(tasks.parameters, tasks.noise[:, :, 0], episodes)
    action = torch.full((tasks.members, tasks.horizon), arm)
    done = world.step(tasks.parameters, state, action, tasks.noise[:, :, 1])
    assert bool(done.ended.all())
    return done.reward.numpy(), done.expected.numpy()


def test_a_gaussian_arm_pays_its_mean_and_noise_of_its_deviation() -> None:
    tasks = draw(GaussianBandit(spread=2.0, reward_sd=0.5), 200, 30)
    reward, mean = pull(tasks, 1)
    assert (mean == tasks.parameters["pays"][:, 1:2].numpy()).all()
    assert kstest(((reward - mean) / 0.5).ravel(), "norm").pvalue > 0.01


def test_gaussian_means_have_their_spread() -> None:
    tasks = draw(GaussianBandit(spread=2.0), 1, 400)
    assert kstest(tasks.parameters["pays"].numpy().ravel() / 2, "norm").pvalue > 0.01


@pytest.mark.parametrize("family", [BernoulliBandit(drift=0.4), DriftingBandit()])
def test_logits_of_drifting_arms_walk_by_normal_steps(family: Family) -> None:
    tasks = draw(family, 100, 20)
    means = np.stack([pull(tasks, arm)[1] for arm in range(5)], 2).astype(float)
    inside = (means > 1e-3) & (means < 1 - 1e-3)
    logit = np.log(means / (1 - means), where=inside, out=np.full_like(means, np.nan))
    steps = np.diff(logit, axis=1) / family.model_dump()["drift"]
    known = steps[np.isfinite(steps)]
    assert known.mean() == pytest.approx(0, abs=0.05)
    assert known.std() == pytest.approx(1, abs=0.03)
    np.testing.assert_allclose(means[:, 0], tasks.parameters["pays"], atol=1e-6)


def test_the_means_of_drifting_gaussian_arms_walk() -> None:
    tasks = draw(GaussianBandit(drift=0.2), 300, 10)
    steps = np.diff(pull(tasks, 0)[1], axis=1).ravel() / 0.2
    assert kstest(steps, "norm").pvalue > 0.01


@pytest.mark.parametrize(
    "family",
    [BernoulliBandit(), BernoulliBandit(drift=0.4), DriftingBandit(), GaussianBandit()],
)
def test_the_optimum_is_the_best_arms_mean_at_each_pull(family: Family) -> None:
    tasks = draw(family, 12, 6)
    means = np.stack([pull(tasks, arm)[1] for arm in range(5)], 2)
    np.testing.assert_allclose(tasks.optimum, means.max(2), rtol=1e-6)
    world, episodes = tasks.environment, torch.arange(12)
    state = world.start(tasks.parameters, tasks.noise[:, :, 0], episodes)
    best = world.best_action(tasks.parameters, state).expand(6, 12)
    assert (best.numpy() == means.argmax(2)).all()


def test_bernoulli_arms_pay_as_often_as_their_probability_says() -> None:
    tasks = draw(BernoulliBandit(low=0.2, high=0.9), 400, 40)
    reward, mean = pull(tasks, 2)
    assert set(np.unique(reward)) == {0.0, 1.0}
    score = (reward - mean).sum() / np.sqrt((mean * (1 - mean)).sum())
    assert abs(score) < 3
    assert kstest((mean[:, 0] - 0.2) / 0.7, "uniform").pvalue > 0.01


def test_a_range_upside_down_is_refused() -> None:
    with pytest.raises(Refused, match="above the highest"):
        BernoulliBandit(low=0.6, high=0.4).check()
