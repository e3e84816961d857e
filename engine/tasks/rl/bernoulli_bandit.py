"""Bernoulli bandits: k arms that pay 1 with unknown probabilities.

Source: Duan et al. (2016), arXiv:1611.02779, section 3.1.
Helps: the smallest task that needs exploration, and its Bayes optimum is known.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from engine.algorithms.rl.bandits.bayes_optimum import least_regret
from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Environment, draw_uniform
from engine.tasks.rl._bandit_family import BanditFamily
from engine.tasks.rl._bernoulli_arms import BernoulliArms
from engine.tasks.rl._environment_family import TASK


@register("family")
class BernoulliBandit(BanditFamily):
    """p[a] ~ U(low, high), independently; logit p[a] ← logit p[a] + δ N(0, 1)."""

    version: ClassVar[int] = 1

    low: float = knob(
        0.0,
        label="Lowest probability",
        low=0.0,
        high=1.0,
        help="Probabilities are uniform from here.",
    )
    high: float = knob(
        1.0,
        label="Highest probability",
        low=0.0,
        high=1.0,
        help="Probabilities are uniform up to here.",
    )

    def check(self) -> None:
        """Check that the range is one.

        Raises:
            Refused: If the lowest probability is above the highest.
        """
        if self.low > self.high:
            raise Refused(
                f"the lowest probability is {self.low:g}, above the highest, "
                f"{self.high:g}; make it at most that",
                "low",
            )

    def environment(self) -> Environment:
        """Return the arms."""
        return BernoulliArms(self.arms)

    def pays(self, rngs: Sequence[Rng]) -> np.ndarray:
        """Draw the probability of each arm."""
        shares = draw_uniform(rngs, TASK, (self.arms,), np.float64)
        drawn = self.low + (self.high - self.low) * shares
        return drawn.astype(np.float32)

    def least_regret(self, episodes: int) -> float | None:
        """Return that of the Bayes optimum, if arms stay as they are."""
        if self.drift:
            return None
        return least_regret(self.arms, episodes, self.low, self.high)
