"""UCB1: the arm whose mean could be highest, by an upper confidence bound.

Source: Auer, Cesa-Bianchi and Fischer (2002), figure 1; with the factor c and the prior
counts of Duan et al. (2016), arXiv:1611.02779, appendix on bandit strategies.
Differs: Auer et al. pull every arm once and have c = 1; here an arm starts as if it had
been pulled before, and c is a knob whose default is good for 10 to 100 pulls. With
Gaussian arms the bound is scaled by the rewards' standard deviation.
Helps: optimism in the face of uncertainty, with a proof that regret grows as log t.
"""

import math
from typing import ClassVar

from torch import Tensor

from engine.algorithms.rl.bandits.bandit_strategy import (
    ArmCounts,
    BanditStrategy,
    pull_highest,
)
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import TrialBatch, square_root


@register("learner")
class Ucb1(BanditStrategy):
    """a_t = argmax_a mean_a + c σ √(2 ln t / pulls of a)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "green"
    short: ClassVar[str] = "UCB1"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    width: float = knob(
        0.2,
        label="Width c",
        low=0.0,
        high=4.0,
        help="Factor on the confidence bound; 1 is that of the paper, which explores "
        "too long for short trials.",
    )

    def chances(self, arms: ArmCounts, tasks: TrialBatch) -> Tensor:
        """Pull the arm of the highest bound."""
        now = 1 + int(arms.whole[0][0, 0].sum())  # every trial is at the same pull
        bound = square_root(2 * math.log(now) / arms.weight)
        scale = self.width * tasks.environment.reward_sd
        return pull_highest(arms.mean + scale * bound)
