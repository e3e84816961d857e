"""Bernoulli bandit: k arms that pay 1 with unknown probabilities.

Source: Duan et al. (2016), arXiv:1611.02779, section 3.1.
Helps: the smallest task that needs exploration, and its Bayes optimum is known.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import ActionSpace, Environment, Transition, Weights, generator
from engine.tasks.rl._environment_family import EnvironmentFamily


class BernoulliArms(Environment):
    """One pull is one episode: arm a pays 1 with probability p[a]."""

    observation = 1
    steps = 1
    uniforms = 1
    lowest = 0.0
    arm_rewards = "bernoulli"
    knows_best = True
    picture = "arms"

    def __init__(self, arms: int) -> None:
        self.actions = ActionSpace(arms)
        self.cells = arms

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Return no state: nothing changes between pulls."""
        return {}

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return a constant: there is nothing to see; shape (member, 1, 1)."""
        return parameters["pays"].new_ones(len(parameters["pays"]), 1, 1)

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Pull an arm; one uniform number decides for all arms."""
        chance = parameters["pays"].gather(1, action)
        reward = (noise[..., 0] < chance).to(chance)
        return Transition(state, reward, chance, torch.ones_like(action) > 0)

    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return the best arm's probability, for every pull."""
        return parameters["pays"].amax(1, keepdim=True).expand(-1, episodes)

    def best_action(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the best arm; shape (member, 1)."""
        return parameters["pays"].argmax(1, keepdim=True)

    def cell(self, state: Weights, action: Tensor) -> Tensor:
        """Return the arm."""
        return action


@register("family")
class BernoulliBandit(EnvironmentFamily):
    """p[a] ~ U(low, high), independently for each arm."""

    version: ClassVar[int] = 1
    output: ClassVar[str] = "arms"
    totals: ClassVar[bool] = True

    arms: int = knob(5, label="Arms k", unit="arms", low=2, high=100, help="Arms.")
    low: float = knob(
        0.0,
        label="Lowest probability",
        low=0.0,
        high=1.0,
        help="Probabilities are uniform from here.",
    )
    high: float = knob(
        1.0,
        label="Highest probability",
        low=0.0,
        high=1.0,
        help="Probabilities are uniform up to here.",
    )

    def environment(self) -> Environment:
        """Return the arms."""
        return BernoulliArms(self.arms)

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw the probability of each arm."""
        drawn = generator(rng).uniform(self.low, self.high, self.arms)
        return {"pays": drawn.astype(np.float32)}
