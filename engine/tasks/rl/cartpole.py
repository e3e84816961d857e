"""Cart and pole: balance a pole on a cart, with another pole in every task.

Source: Barto, Sutton and Anderson (1983), as CartPole-v1 in gymnasium.
Differs: factors on the pole's length and mass and on gravity are drawn for each task;
an episode has at most 200 steps by default, where CartPole-v1 has 500.
Helps: a policy for one pole drops others: shows what adapting to new physics is worth.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import ActionSpace, Environment, Transition, Weights
from engine.tasks.rl._physics import PhysicalEnvironment, PhysicsFamily, lane

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, TAU = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
FAR, STEEP = 2.4, 12 * 2 * math.pi / 360  # an episode ends beyond either


class CartPole(PhysicalEnvironment):
    """State: position, velocity, the pole's angle from upright, its velocity."""

    observation = 4
    picture = "cartpole"
    reach = (0.05, 0.05, 0.05, 0.05)
    step_pay = (0.0, 1.0)
    actions = ActionSpace(2)

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the state."""
        return state["state"]

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Push the cart to the left (0) or to the right (1)."""
        x, speed, angle, turning = state["state"].unbind(-1)
        gravity = GRAVITY * lane(parameters["gravity"])
        length = HALF_LENGTH * lane(parameters["length"])
        pole = POLE * lane(parameters["mass"])
        total, cos, sin = CART + pole, angle.cos(), angle.sin()
        push = FORCE * (2 * action.to(x) - 1)
        pull = (push + pole * length * turning.square() * sin) / total
        swing = (gravity * sin - cos * pull) / (
            length * (4.0 / 3.0 - pole * cos.square() / total)
        )
        moved = pull - pole * length * swing * cos / total
        new = (x + TAU * speed, speed + TAU * moved)
        new += (angle + TAU * turning, turning + TAU * swing)
        reward = torch.ones_like(x)
        ended = (new[0].abs() > FAR) | (new[2].abs() > STEEP)
        return Transition({"state": torch.stack(new, -1)}, reward, reward, ended)


@register("family")
class Cartpole(PhysicsFamily):
    """log f ~ U(log low, log high), the factors on length, mass and gravity."""

    version: ClassVar[int] = 1

    steps: int = knob(
        200,
        label="Steps of an episode",
        unit="steps",
        low=10,
        high=1000,
        work="passes",
        help="An episode ends here if the pole still stands; each step pays 1.",
    )

    def environment(self) -> Environment:
        """Return the cart and its pole."""
        return CartPole(self.steps)
