"""Pendulum: swing a pendulum up and hold it, with another one in every task.

Source: Pendulum-v1 of gymnasium.
Differs: factors on length, mass and gravity are drawn for each task.
Helps: a continuous torque that is too weak for a direct swing: needs a plan, and other
plans for other pendulums.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import ActionSpace, Environment, Transition, Weights
from engine.tasks.rl._physics import PhysicalEnvironment, PhysicsFamily, lane

GRAVITY, MASS, LENGTH, DT, TORQUE, FASTEST = 10.0, 1.0, 1.0, 0.05, 2.0, 8.0
WORST_STEP = math.pi**2 + 0.1 * FASTEST**2 + 0.001 * TORQUE**2


class Swing(PhysicalEnvironment):
    """State: angle from upright, angular velocity."""

    observation = 3
    picture = "pendulum"
    reach = (math.pi, 1.0)
    step_pay = (-WORST_STEP, 0.0)
    actions = ActionSpace(1, TORQUE)

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the cosine and sine of the angle, and the velocity."""
        angle, speed = state["state"].unbind(-1)
        return torch.stack([angle.cos(), angle.sin(), speed], -1)

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Apply a torque."""
        angle, speed = state["state"].unbind(-1)
        torque = action[..., 0]
        gravity = GRAVITY * lane(parameters["gravity"])
        length = LENGTH * lane(parameters["length"])
        mass = MASS * lane(parameters["mass"])
        off = (angle + math.pi).remainder(2 * math.pi) - math.pi
        reward = -(off.square() + 0.1 * speed.square() + 0.001 * torque.square())
        pulled = 3 * gravity / (2 * length) * angle.sin()
        turned = 3.0 / (mass * length.square()) * torque
        faster = (speed + (pulled + turned) * DT).clamp(-FASTEST, FASTEST)
        new = torch.stack([angle + faster * DT, faster], -1)
        return Transition({"state": new}, reward, reward, torch.zeros_like(angle) > 0)


@register("family")
class Pendulum(PhysicsFamily):
    """log f ~ U(log low, log high), the factors on length, mass and gravity."""

    version: ClassVar[int] = 1

    steps: int = knob(
        200,
        label="Steps of an episode",
        unit="steps",
        low=10,
        high=1000,
        work="passes",
        help="Each step costs the squared angle, and a little for speed and torque.",
    )

    def environment(self) -> Environment:
        """Return the pendulum."""
        return Swing(self.steps)
