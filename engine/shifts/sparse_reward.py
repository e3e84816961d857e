"""Sparse reward: most rewards are left out, the others are larger.

Source: ours; rewards missing at random, weighted by the inverse of their chance, as in
Horvitz and Thompson (1952).
Helps: to see how an agent lives with rare rewards; their mean, the best policy and the
optimum stay as they are, so regrets compare.
"""

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from engine.contract.registry import register
from engine.protocol import (
    ChangedEnvironment,
    Environment,
    Setting,
    Shift,
    Transition,
    Weights,
)
from engine.shifts._environments import why_no_later_steps


class _SparseRewards(ChangedEnvironment):
    """Pays a reward with a chance, divided by that chance."""

    uniforms = 1

    def __init__(self, inner: Environment, severity: float) -> None:
        super().__init__(inner)
        self.chance = 1.0 - severity
        self.lowest = min(inner.lowest, inner.lowest / self.chance)

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Step the inner environment, and pay or not."""
        done = self.inner.step(parameters, state, action, self.inner_noise(noise))
        paid = self.own_noise(noise)[..., 0] < self.chance
        reward = torch.where(paid, done.reward / self.chance, 0.0)
        return done._replace(reward=reward)


@register("shift")
class SparseReward(Shift):
    """r ← r b / (1 − s), b ~ Bernoulli(1 − s)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.5, 0.75, 0.9)
    top: ClassVar[float] = 0.99

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        # Strategies for bandits know what a pull can pay.
        return why_no_later_steps(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Leave out a share of the rewards."""
        return setting.with_wrapper(partial(_SparseRewards, severity=severity))
