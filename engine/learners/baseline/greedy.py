"""Greedy: always the arm that has paid best on average.

Source: Duan et al. (2016), arXiv:1611.02779, appendix on bandit strategies; an arm
counts as if one success and one failure had been seen before, so an arm that was never
pulled counts as 1/2.
Differs: with Gaussian arms, an arm that was never pulled counts as the prior mean, 0.
Helps: shows what is lost without exploration.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.rl.bandits.bandit_strategy import (
    ArmCounts,
    BanditStrategy,
    pull_highest,
)
from engine.contract.registry import register
from engine.protocol import TrialBatch


@register("learner")
class Greedy(BanditStrategy):
    """a_t = argmax_a E[reward of a | pulls so far]."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "brown"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def chances(self, arms: ArmCounts, tasks: TrialBatch) -> Tensor:
        """Pull the arm of the highest posterior mean."""
        return pull_highest(arms.mean)
