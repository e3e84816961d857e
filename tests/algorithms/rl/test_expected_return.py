"""What play gives on average is the exact expected return of a policy."""

import pytest
import torch

from engine.algorithms.rl.gradient_agent import nets_of, play_part
from engine.contract.rng import Rng
from engine.protocol import TrialBatch, Weights
from tests.tasks.rl.trials import trials

EPISODES = 20_000


def drawn_policy(tasks: TrialBatch) -> tuple[Weights, torch.Tensor]:
    """Return weights, and the chance of each action in each state, (state, action)."""
    weights = nets_of(tasks).init((Rng(1),), tasks.action_noise)
    draw = torch.Generator().manual_seed(0)
    weights = {
        name: torch.empty(row.shape).normal_(generator=draw)
        for name, row in weights.items()
    }
    seen = torch.eye(tasks.environment.observation).unsqueeze(0)
    return weights, nets_of(tasks).distribution(weights, seen).outputs.softmax(1)[0].T


def test_an_mdp_pays_what_every_path_pays_by_its_chance() -> None:
    tasks = trials("tabular_mdp", 1, EPISODES, states=3, actions=2, steps=3)
    weights, policy = drawn_policy(tasks)
    chances, pays = tasks.parameters["chances"][0], tasks.parameters["pays"][0]
    at, exact = torch.tensor([1.0, 0.0, 0.0]), 0.0
    for _ in range(3):
        taken = at.unsqueeze(1) * policy
        exact += float((taken * pays).sum())
        at = torch.einsum("sa,san->n", taken, chances)
    part = play_part(tasks, weights, range(EPISODES))
    for earned in (part.reward, part.expected):
        found = earned.sum(2).double()
        error = float(found.std()) / EPISODES**0.5
        assert float(found.mean()) == pytest.approx(exact, abs=4 * error)


def test_a_bandit_pays_what_its_arms_pay_by_their_chance() -> None:
    tasks = trials("bernoulli_bandit", 1, EPISODES, arms=2)
    weights, policy = drawn_policy(tasks)
    exact = float((policy[0] * tasks.parameters["pays"][0]).sum())
    earned = play_part(tasks, weights, range(EPISODES)).reward.double()
    error = float(earned.std()) / EPISODES**0.5
    assert float(earned.mean()) == pytest.approx(exact, abs=4 * error)
