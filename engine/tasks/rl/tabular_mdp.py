"""Tabular MDPs: random dynamics and rewards, ten steps an episode.

Source: Duan et al. (2016), arXiv:1611.02779, section 3.2; the distribution is that of
Osband et al. (2013), arXiv:1306.0940.
Differs: every episode starts in state 0; the start state is not part of the task.
Helps: exploration through actions that lead to where there is something to learn.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.rl.backward_induction import expect
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Environment, Weights, generator
from engine.tasks.rl._tabular import Move, TabularFamily, TabularWorld, look_up

FAR = 6.0  # standard deviations: what counts as worse than any reward


class RandomMdp(TabularWorld):
    """s' ~ P(s, a); r = mean(s, a) + n, n ~ N(0, 1).

    Parameters: `chances`, shape (member, state, action, next state), and `pays`, shape
    (member, state, action).
    """

    uniforms = 1
    normals = 1

    def __init__(self, states: int, actions: int, steps: int) -> None:
        super().__init__(states, actions, steps)
        self.lowest = steps * (1.0 - FAR)

    def rewards(self, parameters: Weights) -> Tensor:
        """Return the mean rewards."""
        return parameters["pays"]

    def look_ahead(self, parameters: Weights, values: Tensor) -> Tensor:
        """Return the expectation over the next state."""
        return expect(parameters["chances"], values)

    def first(self, parameters: Weights, episode: Tensor) -> Tensor:
        """Return state 0."""
        return episode.new_zeros(len(parameters["pays"]), len(episode))

    def move(
        self, parameters: Weights, at: Tensor, action: Tensor, noise: Tensor
    ) -> Move:
        """Draw the next state, and the reward of the action."""
        chances = parameters["chances"].flatten(1, 2)
        row = (at * self.actions.count + action).unsqueeze(-1)
        chance = chances.gather(1, row.expand(-1, -1, self.states))
        # The first state whose cumulative probability exceeds the number.
        after = (chance.cumsum(-1) <= noise[..., :1]).sum(-1)
        reward = look_up(parameters["pays"], at, action) + noise[..., 1]
        # Rounding may leave the last sum below 1.
        after = after.clamp(max=self.states - 1)
        return Move(after, reward, torch.zeros_like(after) > 0)


@register("family")
class TabularMdp(TabularFamily):
    """P(s, a) ~ Dirichlet(1), mean(s, a) ~ N(1, 1)."""

    version: ClassVar[int] = 1

    states: int = knob(
        10, label="States", unit="states", low=2, high=50, work="area", help="States."
    )
    actions: int = knob(
        5,
        label="Actions",
        unit="actions",
        low=2,
        high=20,
        work="size",
        help="Actions in each.",
    )
    steps: int = knob(
        10,
        label="Steps",
        unit="steps",
        low=1,
        high=100,
        work="passes",
        help="Steps of an episode.",
    )

    def environment(self) -> Environment:
        """Return the MDP."""
        return RandomMdp(self.states, self.actions, self.steps)

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw the dynamics, then the mean rewards."""
        size = (self.states, self.actions)
        draw = generator(rng)
        # Normalized exponential numbers are Dirichlet(1).
        chances = draw.standard_exponential((*size, self.states))
        chances /= chances.sum(-1, keepdims=True)
        pays = 1.0 + draw.standard_normal(size)
        return {"chances": chances.astype(np.float32), "pays": pays.astype(np.float32)}
