"""Drifting bandits: arms whose probabilities walk at random, from pull to pull.

Source: Whittle (1988), on restless bandits; the walk in the logit is ours, so that
probabilities stay between 0 and 1 without a border.
Helps: shows whether an agent keeps exploring: an arm that was best need not stay so.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Environment, draw_uniform
from engine.tasks.rl._bandit_family import BanditFamily
from engine.tasks.rl._bernoulli_arms import BernoulliArms
from engine.tasks.rl._environment_family import TASK


@register("family")
class DriftingBandit(BanditFamily):
    """p[a] ~ U(0, 1) at the start; logit p[a] ← logit p[a] + δ N(0, 1) each pull."""

    version: ClassVar[int] = 1

    drift: float = knob(
        0.3,
        label="Drift δ",
        low=0.01,
        high=3.0,
        help="Standard deviation of each step of an arm's logit between two pulls.",
    )

    def environment(self) -> Environment:
        """Return the arms."""
        return BernoulliArms(self.arms)

    def pays(self, rngs: Sequence[Rng]) -> np.ndarray:
        """Draw the probability of each arm at the first pull."""
        return draw_uniform(rngs, TASK, (self.arms,), np.float32)
