"""Gaussian bandits: k arms that pay their unknown mean and noise.

Source: the Gaussian testbed of Sutton and Barto (2018), section 2.3.
Helps: rewards say how good an arm is, not only whether it paid.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Environment, Weights, generator
from engine.tasks.rl._bandit_family import Arms, BanditFamily
from engine.tasks.rl._environment_family import TASK


class GaussianArms(Arms):
    """Arm a pays m[a] + σ N(0, 1); m[a] may walk."""

    normals = 1
    arm_rewards = "gaussian"

    def __init__(self, arms: int, reward_sd: float, spread: float) -> None:
        super().__init__(arms)
        self.reward_sd = reward_sd
        # Normal means have no lowest one; one in a billion lies below this.
        self.lowest = -6.0 * spread

    def means(self, parameters: Weights, walked: Tensor | None) -> Tensor:
        """Return means; shape (member, lane, arm)."""
        mean = parameters["pays"].unsqueeze(1)
        return mean if walked is None else mean + walked

    def pay(self, mean: Tensor, noise: Tensor) -> Tensor:
        """Return the mean and noise."""
        return mean + self.reward_sd * noise[..., 0]


@register("family")
class GaussianBandit(BanditFamily):
    """m[a] ~ N(0, spread²), reward ~ N(m[a], σ²); m[a] ← m[a] + δ N(0, 1)."""

    version: ClassVar[int] = 1

    spread: float = knob(
        1.0,
        label="Spread of means",
        low=0.0,
        high=10.0,
        help="Standard deviation of the arms' means, which are 0 on average.",
    )
    reward_sd: float = knob(
        1.0,
        label="Reward noise σ",
        low=0.05,
        high=10.0,
        help="Standard deviation of what the same arm pays.",
    )

    def environment(self) -> Environment:
        """Return the arms."""
        return GaussianArms(self.arms, self.reward_sd, self.spread)

    def pays(self, rngs: Sequence[Rng]) -> np.ndarray:
        """Draw the mean of each arm."""
        drawn = [generator(r.child(*TASK)).standard_normal(self.arms) for r in rngs]
        return (self.spread * np.stack(drawn)).astype(np.float32)
