"""Random actions: every action is equally likely, whatever was seen.

Source: ours; the floor that every agent must leave.
Helps: shows what a task pays without any exploration or learning.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.rl.fixed_strategy import FixedStrategy
from engine.algorithms.rl.rollouts import Agent, Decision, Seen
from engine.contract.registry import register
from engine.protocol import ActionSpace, TrialBatch, Weights


class _RandomAgent:
    """Draws actions uniformly; a continuous one within its bounds."""

    def __init__(self, space: ActionSpace) -> None:
        self.space = space

    def start(self, members: int, lanes: int) -> Weights:
        """Return an empty memory."""
        return {}

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        """Return an action that depends on the noise alone."""
        count, bound = self.space.count, self.space.bound
        if self.space.continuous:
            chance = torch.special.ndtr(noise)
            entropy = torch.full_like(noise[..., 0], count * math.log(2 * bound))
            return Decision(bound * (2 * chance - 1), memory, entropy)
        # A uniform float32 may round up to the count.
        chosen = (noise[..., 0] * count).long().clamp(max=count - 1)
        return Decision(chosen, memory, torch.full_like(noise[..., 0], math.log(count)))


@register("learner")
class RandomActions(FixedStrategy):
    """a_t ~ uniform over the actions."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "red"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def agent(self, tasks: TrialBatch) -> Agent:
        """Return the agent."""
        return _RandomAgent(tasks.environment.actions)
