"""Acrobot: swing two links above a line, with other links in every task.

Source: Sutton (1996), as Acrobot-v1 in gymnasium (the book's equations).
Differs: factors on the length and mass of both links and on gravity are drawn for each
task; an episode has at most 200 steps by default, where Acrobot-v1 has 500.
Helps: a reward that comes only at the end: random actions seldom find it.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import ActionSpace, Environment, Transition, Weights
from engine.tasks.rl._physics import PhysicalEnvironment, PhysicsFamily, lane

GRAVITY, INERTIA, DT = 9.8, 1.0, 0.2
FASTEST = (4 * math.pi, 9 * math.pi)  # of each joint


class TwoLinks(PhysicalEnvironment):
    """State: the first link's angle, the second's from the first, and their speeds."""

    observation = 6
    picture = "acrobot"
    reach = (0.1, 0.1, 0.1, 0.1)
    step_pay = (-1.0, 0.0)
    actions = ActionSpace(3)

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return cosine and sine of both angles, and both speeds."""
        first, second, *speeds = state["state"].unbind(-1)
        seen = (first.cos(), first.sin(), second.cos(), second.sin(), *speeds)
        return torch.stack(seen, -1)

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Apply a torque of −1, 0 or 1 between the links, by one Runge-Kutta step."""
        at, torque = state["state"], action.to(noise.dtype) - 1

        def slope(x: Tensor) -> Tensor:
            return accelerations(parameters, x, torque)

        k1 = slope(at)
        k2 = slope(at + DT / 2 * k1)
        k3 = slope(at + DT / 2 * k2)
        k4 = slope(at + DT * k3)
        moved = at + DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        first, second, *speeds = moved.unbind(-1)
        bounded = [
            speed.clamp(-most, most)
            for speed, most in zip(speeds, FASTEST, strict=True)
        ]
        new = torch.stack([wrap(first), wrap(second), *bounded], -1)
        ended = -new[..., 0].cos() - (new[..., 0] + new[..., 1]).cos() > 1.0
        reward = ended.to(at) - 1.0
        return Transition({"state": new}, reward, reward, ended)


def wrap(angle: Tensor) -> Tensor:
    """Return the same angle from −π to π."""
    return (angle + math.pi).remainder(2 * math.pi) - math.pi


def accelerations(parameters: Weights, state: Tensor, torque: Tensor) -> Tensor:
    """Return the derivative of the state; shape (member, lane, 4).

    Args:
        parameters: Factors on `length`, `mass` and `gravity`; both links are alike.
        state: Both angles, both speeds.
        torque: Between the links; shape (member, lane).
    """
    first, second, speed1, speed2 = state.unbind(-1)
    length, mass = lane(parameters["length"]), lane(parameters["mass"])
    gravity, center = GRAVITY * lane(parameters["gravity"]), length / 2
    cos, sin = second.cos(), second.sin()
    both = length.square() + center.square() + 2 * length * center * cos
    inertia1 = mass * center.square() + mass * both + 2 * INERTIA
    inertia2 = mass * (center.square() + length * center * cos) + INERTIA
    # cos(θ − π/2) = sin θ: the angles are measured from hanging
    weight2 = mass * center * gravity * (first + second).sin()
    drag = mass * length * center * sin
    weight1 = -drag * speed2.square() - 2 * drag * speed2 * speed1
    weight1 = (
        weight1 + (mass * center + mass * length) * gravity * first.sin() + weight2
    )
    ratio = inertia2 / inertia1
    push = torque + ratio * weight1 - drag * speed1.square() - weight2
    turn2 = push / (mass * center.square() + INERTIA - inertia2 * ratio)
    turn1 = -(inertia2 * turn2 + weight1) / inertia1
    return torch.stack([speed1, speed2, turn1, turn2], -1)


@register("family")
class Acrobot(PhysicsFamily):
    """log f ~ U(log low, log high), the factors on lengths, masses and gravity."""

    version: ClassVar[int] = 1

    steps: int = knob(
        200,
        label="Steps of an episode",
        unit="steps",
        low=10,
        high=1000,
        work="passes",
        help="Each step costs 1 until the tip is above the line.",
    )

    def environment(self) -> Environment:
        """Return the two links."""
        return TwoLinks(self.steps)
