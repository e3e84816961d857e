"""Thompson sampling: an arm is pulled as often as it is believed to be the best.

Source: Thompson (1933); Duan et al. (2016), arXiv:1611.02779, appendix on bandit
strategies, with the prior Beta(1, 1).
Differs: chances are computed by quadrature over 256 points instead of by drawing a mean
for each arm, which is the same policy; so its entropy is known. The prior of Gaussian
arms is N(0, 1), and the standard deviation of their rewards is known.
Helps: explores by belief alone, without a knob; too long where trials are short.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.rl.bandits.bandit_strategy import ArmCounts, BanditStrategy
from engine.algorithms.rl.bandits.probability_of_best import (
    best_of_beta,
    best_of_normal,
)
from engine.contract.registry import register
from engine.protocol import TrialBatch, square_root


@register("learner")
class Thompson(BanditStrategy):
    """π(a) = P(a is the best arm | pulls so far)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "purple"
    short: ClassVar[str] = "Thompson"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def chances(self, arms: ArmCounts, tasks: TrialBatch) -> Tensor:
        """Return how likely each arm is the best one."""
        world = tasks.environment
        if world.arm_rewards == "bernoulli":
            return best_of_beta(arms.total, arms.pulls - arms.total)
        deviation = world.reward_sd / square_root(arms.weight)
        return best_of_normal(arms.mean, deviation)
