"""The bandit of the lesson: fair, the same for both, and well played by Thompson."""

import numpy as np
import pytest

from app.views.learn.bandit_game import (
    PULLS,
    ROLES,
    draw_bandit,
    film_game,
    play_thompson,
    sum_rewards,
)


def test_arms_pay_as_often_as_their_chances_say() -> None:
    bandits = [draw_bandit(seed) for seed in range(300)]
    chances = np.array([bandit.chances for bandit in bandits])
    pays = np.array([bandit.pays for bandit in bandits])
    assert np.abs(pays.mean(1) - chances).mean() < 0.1  # sd of 20 pulls: up to 0.11
    assert (pays.mean(1) - chances).mean() == pytest.approx(0, abs=0.01)


def test_thompson_sampling_earns_more_than_chance_and_less_than_the_best_arm() -> None:
    seeds = range(300)
    bandits = [draw_bandit(seed) for seed in seeds]
    played = [play_thompson(b, k) for b, k in zip(bandits, seeds, strict=True)]
    mean = np.mean([sum_rewards(b, p) for b, p in zip(bandits, played, strict=True)])
    random = PULLS * np.mean([b.chances.mean() for b in bandits])
    best = PULLS * np.mean([b.chances.max() for b in bandits])
    assert random + 1 < mean < best - 1


def test_what_was_earned_counts_the_pulled_arms_in_order() -> None:
    bandit = draw_bandit(3)
    assert sum_rewards(bandit, []) == 0
    assert sum_rewards(bandit, [2, 0]) == bandit.pays[0, 2] + bandit.pays[1, 0]
    film = film_game(bandit, {label: [1] * PULLS for label in ROLES})
    rewards = film.arrays["you/reward"]
    assert rewards.shape == (1, PULLS, 1)
    assert rewards.sum() == bandit.pays[:, 1].sum()
