"""Delayed reward: rewards are paid together, after some steps.

Source: ours; delayed returns as in Arjona-Medina et al. (2019), arXiv:1806.07857.
Helps: to see whether an agent can tell which of its actions a reward is for; returns,
the best policy and the optimum stay as they are.
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

OWED, COUNT = "owed_reward", "steps_since_start"


class _DelayedRewards(ChangedEnvironment):
    """Keeps rewards back, and pays their sum every few steps and at the end."""

    def __init__(self, inner: Environment, severity: float) -> None:
        super().__init__(inner)
        self.every = 1 + round(severity)

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Start the inner environment, owing nothing."""
        first = self.inner.start(parameters, noise, episode)
        owed = torch.zeros_like(noise[..., :1].sum(-1))
        return first | {OWED: owed, COUNT: owed}

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Step the inner environment, and pay what is owed if it is time."""
        done = self.inner.step(parameters, state, action, noise)
        count, owed = state[COUNT] + 1, state[OWED] + done.reward
        due = done.ended | (count % self.every == 0) | (count >= self.steps)
        later = {OWED: owed.masked_fill(due, 0.0), COUNT: count}
        paid = owed.masked_fill(~due, 0.0)
        return done._replace(state=done.state | later, reward=paid)


@register("shift")
class DelayedReward(Shift):
    """r_t ← the sum of the last 1 + s rewards at every (1 + s)-th step, else 0."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "steps"
    severities: ClassVar[tuple[float, ...]] = (1.0, 4.0, 9.0)
    top: ClassVar[float] = 500.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_later_steps(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Keep rewards back for some steps."""
        return setting.with_wrapper(partial(_DelayedRewards, severity=severity))
