"""ε-greedy: the best arm so far, and now and then any arm.

Source: Duan et al. (2016), arXiv:1611.02779, appendix on bandit strategies, with the
same prior counts as their greedy strategy.
Differs: ε is a knob whose default is good for 10 to 100 pulls; the paper searches the
best one for each setting.
Helps: the plainest exploration, which never stops.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.rl.bandits.bandit_strategy import (
    ArmCounts,
    BanditStrategy,
    pull_highest,
)
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import TrialBatch


@register("learner")
class EpsilonGreedy(BanditStrategy):
    """π(a) = (1 − ε) [a = argmax_b E[reward of b]] + ε / k."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "orange"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    epsilon: float = knob(
        0.02,
        label="Exploration ε",
        unit="share",
        low=0.0,
        high=1.0,
        help="Share of pulls whose arm is drawn uniformly.",
    )

    def chances(self, arms: ArmCounts, tasks: TrialBatch) -> Tensor:
        """Mix the greedy arm with all arms."""
        any_arm = self.epsilon / arms.pulls.shape[-1]
        return (1 - self.epsilon) * pull_highest(arms.mean) + any_arm
