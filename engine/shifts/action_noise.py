"""Action noise: what an agent does is not always what happens.

Source: the slips of Sutton and Barto (2018), Reinforcement Learning, section 4.4, and
sticky actions of Machado et al. (2018), arXiv:1709.06009, in a form without memory.
Helps: to see whether an agent corrects for actions that went wrong. The optimum counts
the noise in tabular tasks; elsewhere it stays that without noise, which is a bound.
"""

from copy import copy
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


class _NoisyActions(ChangedEnvironment):
    """Replaces discrete actions with a chance; adds normal noise to continuous ones."""

    def __init__(self, inner: Environment, severity: float) -> None:
        slipping = copy(inner)
        if inner.actions.continuous:
            self.normals = inner.actions.count
        else:
            self.uniforms, slipping.slip = 2, severity
        super().__init__(slipping)
        self.severity = severity

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Step the inner environment with the action that really happens."""
        own, space = self.own_noise(noise), self.actions
        if space.continuous:
            moved = action + self.severity * space.bound * own
            happens = moved.clamp(-space.bound, space.bound)
        else:
            # A uniform float32 may round up to the count.
            other = (own[..., 1] * space.count).long().clamp(max=space.count - 1)
            happens = torch.where(own[..., 0] < self.severity, other, action)
        return self.inner.step(parameters, state, happens, self.inner_noise(noise))


@register("shift")
class ActionNoise(Shift):
    """a ← uniform over the actions, with chance s; or a ← clip(a + s · bound · n)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "chance, or share of the bound"
    severities: ClassVar[tuple[float, ...]] = (0.1, 0.25, 0.5)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Put the noise between the agent and the environment."""
        return setting.with_wrapper(partial(_NoisyActions, severity=severity))
