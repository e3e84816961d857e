"""PSRL: its posterior against conjugate formulas, and what it earns."""

import numpy as np
import pytest
import torch

from engine.algorithms.rl.rollouts import Seen
from engine.protocol import Meta
from tests.tasks.rl.trials import learner, returns, trials


def test_statistics_count_what_was_seen_within_an_episode_and_nothing_across() -> None:
    tasks = trials("tabular_mdp", 1, 2, states=3, actions=2, steps=3)
    agent = learner("psrl").agent(tasks)
    memory, nothing = agent.start(1, 1), tasks.noise[:, :, 0]
    eye, took = torch.eye(3), torch.eye(2)
    # (state seen, last action, last reward, whether the last step ended an episode)
    steps = [(0, None, 0.0, 0), (2, 1, 1.5, 0), (2, 0, -1.0, 0), (0, 0, 4.0, 1)]
    for state, action, reward, ended in steps:
        last = torch.zeros(2) if action is None else took[action]
        seen = Seen(
            eye[state].view(1, 1, 3),
            last.view(1, 1, 2),
            torch.tensor([[reward]]),
            torch.tensor([[float(ended)]]),
        )
        memory = agent.act(memory, seen, nothing).memory
    moves = torch.zeros(3, 2, 3)
    moves[0, 1, 2] = moves[2, 0, 2] = 1  # the episode's last step leads nowhere
    assert torch.equal(memory["moves"][0, 0], moves)
    pays = torch.tensor([[0.0, 1.5], [0.0, 0.0], [3.0, 0.0]])
    assert torch.equal(memory["pays"][0, 0], pays)
    assert int(memory["tries"].sum()) == 3
    assert memory["episode"].item() == 2
    assert memory["time"].item() == 1


def test_draws_from_the_posterior_have_its_moments() -> None:
    tasks = trials("tabular_mdp", 1, 1, states=3, actions=2)
    psrl = learner("psrl", prior_mean=2.0, prior_deviation=0.5, noise=2.0)
    agent = psrl.agent(tasks)
    memory = agent.start(1, 1)
    memory["moves"][0, 0, 1, 0] = torch.tensor([0.0, 4.0, 1.0])
    memory["tries"][0, 0, 1, 0], memory["pays"][0, 0, 1, 0] = 5.0, 20.0
    drawn = []
    for episode in range(1500):
        memory["episode"] = torch.full((1, 1), episode)
        drawn.append(agent._draw(memory, 0, 0))
    chances = np.stack([c for c, _ in drawn])[:, 1, 0]
    pays = np.stack([p for _, p in drawn])[:, 1, 0]
    # Dirichlet(1, 5, 2); normal with precision 4 + 5/4, mean (8 + 5) / that.
    np.testing.assert_allclose(chances.mean(0), [1 / 8, 5 / 8, 2 / 8], atol=0.02)
    assert chances[:, 1].var() == pytest.approx(5 * 3 / (64 * 9), rel=0.1)
    assert pays.mean() == pytest.approx(13 / 5.25, abs=0.03)
    assert pays.std() == pytest.approx(5.25**-0.5, rel=0.06)


def test_the_smallest_prior_still_gives_chances() -> None:
    tasks = trials("tabular_mdp", 1, 1, states=2, actions=20)
    psrl = type(learner("psrl"))
    (least,) = (
        m.ge for m in psrl.model_fields["prior_moves"].metadata if hasattr(m, "ge")
    )
    agent = psrl(prior_moves=least).agent(tasks)
    memory = agent.start(1, 1)
    for episode in range(300):
        memory["episode"] = torch.full((1, 1), episode)
        chances, _ = agent._draw(memory, 0, 0)
        np.testing.assert_allclose(chances.sum(-1), 1.0)


def test_psrl_improves_over_a_trial_and_leaves_random_actions() -> None:
    tasks = trials("tabular_mdp", 60, 10)
    earned = returns("psrl", tasks)
    gain = (earned[:, -3:] - earned[:, :3]).mean(1)
    assert float(gain.mean()) > 4 * float(gain.std()) / 60**0.5
    ahead = earned.sum(1) - returns("random_actions", tasks).sum(1)
    assert float(ahead.mean()) > 20


def test_psrl_needs_states_and_an_oracle_a_known_best_action() -> None:
    plane = trials("navigation", 1, 1)
    assert "states" in learner("psrl").why_not(Meta({}, {}), plane)
    assert learner("oracle").why_not(Meta({}, {}), plane) is None
    plane.environment.knows_best = False
    assert "best action" in learner("oracle").why_not(Meta({}, {}), plane)
