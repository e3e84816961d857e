"""2-D navigation: go from the origin to a goal that is not shown.

Source: Finn et al. (2017), arXiv:1703.03400, section 5.3: goals in a square, steps of
at most 0.1, reward −distance after the step.
Differs: no early end near the goal, which would change the scale of returns; the
sparse reward is that of Rothfuss et al. (2019), arXiv:1810.06784, linear in distance.
Helps: one gradient step can tell where the goal is; the classic check of MAML-RL.
"""

from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    ActionSpace,
    Environment,
    Places,
    Transition,
    Weights,
    generator,
    square_root,
)
from engine.tasks.rl._environment_family import EnvironmentFamily

REACH = 0.1  # longest move in each dimension
PLACES = 15  # of a map of values, in each dimension


class Plane(Environment):
    """x ← x + a, |aᵢ| ≤ 0.1; r = −‖x − goal‖, or max(0, 1 − ‖x − goal‖ / radius).

    Parameters: `goal`, shape (member, 2). A film reads it so; the path is the
    observations, which are the position before each step.

    Args:
        steps: Steps of an episode.
        radius: Of the disk in which a sparse reward is paid; 0 for a dense reward.
        half: Goals lie within this in each dimension.
    """

    observation = 2
    picture = "plane"
    knows_best = True

    def __init__(self, steps: int, radius: float, half: float) -> None:
        self.actions = ActionSpace(2, REACH)
        self.steps, self.radius, self.half = steps, radius, half
        # Walking straight away from a goal in a corner, but a sparse reward is ≥ 0.
        reach = REACH * (steps + 1) / 2
        self.lowest = 0.0 if radius else -steps * 2**0.5 * (half + reach)

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Return the origin."""
        goal = parameters["goal"]
        return {"at": goal.new_zeros(len(goal), len(episode), 2)}

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the position."""
        return state["at"]

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Move; the reward counts the new distance."""
        at = state["at"] + action
        reward = self.pay(at - parameters["goal"].unsqueeze(1))
        return Transition({"at": at}, reward, reward, torch.zeros_like(reward) > 0)

    def pay(self, offset: Tensor) -> Tensor:
        """Return the reward at an offset from the goal; (…, 2) → (…)."""
        distance = square_root(offset.square().sum(-1))
        if self.radius:
            return (1.0 - distance / self.radius).clamp(min=0.0)
        return -distance

    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return the return of going straight to the goal: exact.

        Both dimensions come as close as they can at every step, at once.
        """
        return self._best_return(parameters["goal"])[:, None].expand(-1, episodes)

    def _best_return(self, offset: Tensor) -> Tensor:
        """Return the return of going straight over an offset; (…, 2) → (…)."""
        walked = REACH * torch.arange(1, self.steps + 1, device=offset.device)
        left = (offset.abs().unsqueeze(-2) - walked[:, None]).clamp(min=0.0)
        return self.pay(left).sum(-1)

    def places(self, parameters: Weights, episode: int) -> Places:
        """Return a raster over the square in which goals lie."""
        goal = parameters["goal"]
        line = torch.linspace(-self.half, self.half, PLACES).to(goal)
        seen = torch.cartesian_prod(line, line)
        return Places(seen, self._best_return(goal.unsqueeze(1) - seen))

    def best_action(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the move toward the goal in each dimension."""
        return (parameters["goal"].unsqueeze(1) - state["at"]).clamp(-REACH, REACH)


@register("family")
class Navigation(EnvironmentFamily):
    """goal ~ U(−0.5, 0.5)²."""

    version: ClassVar[int] = 1
    judged_share: ClassVar[float] = 0.25

    steps: int = knob(
        100,
        label="Steps",
        unit="steps",
        low=1,
        high=500,
        work="passes",
        help="Steps of an episode.",
    )
    reward: Literal["dense", "sparse"] = knob(
        "dense", label="Reward", help="Distance everywhere, or only near the goal."
    )
    radius: float = knob(
        0.2,
        label="Radius",
        low=0.05,
        high=1.0,
        help="A sparse reward is paid within it.",
        advanced=True,
    )
    half: float = knob(
        0.5,
        label="Half side",
        low=0.1,
        high=2.0,
        help="Of the square in which goals lie.",
        advanced=True,
    )
    outside: float = knob(
        0.0,
        label="Goals outside",
        unit="half sides",
        low=0.0,
        high=4.0,
        help="How far beyond the square goals lie at most; 0 keeps them inside.",
        advanced=True,
    )

    def environment(self) -> Environment:
        """Return the plane."""
        radius = self.radius if self.reward == "sparse" else 0.0
        return Plane(self.steps, radius, self.half * (1.0 + self.outside))

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw the goal; outside, it lies in the same direction."""
        goal = generator(rng).uniform(-1.0, 1.0, 2)
        if self.outside:
            far = np.abs(goal).max()
            goal *= (1.0 + self.outside * far) / far
        return {"goal": (self.half * goal).astype(np.float32)}
