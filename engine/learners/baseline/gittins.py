"""Gittins index: the arm with the highest sure reward that it is worth giving up.

Source: Gittins, Glazebrook and Weber (2011), chapter 1; for a finite number of
undiscounted pulls: Niño-Mora (2011), INFORMS Journal on Computing 23(2).
Differs: Duan et al. (2016), arXiv:1611.02779, use approximations of the discounted
index, the best for each setting. Here the trial's end is known and each arm's index is
exact to 10⁻³; an index policy is not quite optimal for a finite number of pulls.
Helps: nearly the Bayes optimum, also where that has too many states to be computed.
"""

from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.rl.bandits.bandit_strategy import (
    ArmCounts,
    BanditStrategy,
    pull_highest,
    why_no_bernoulli,
)
from engine.algorithms.rl.bandits.gittins_index import PULLS, gittins_table
from engine.contract.registry import register
from engine.protocol import Meta, TaskBatch, TrialBatch


@register("learner")
class Gittins(BanditStrategy):
    """a_t = argmax_a λ_a, λ_a the highest price per pull that pulling a still beats."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why there is no index; None if there is."""
        assert isinstance(tasks, TrialBatch)
        if tasks.horizon > PULLS:
            return (
                f"the Gittins index is computed for trials of at most {PULLS} pulls, "
                f"not {tasks.horizon:,}"
            )
        return why_no_bernoulli(tasks, "the Gittins index")

    def chances(self, arms: ArmCounts, tasks: TrialBatch) -> Tensor:
        """Pull the arm of the highest index for the pulls that are left."""
        table = torch.from_numpy(gittins_table(tasks.horizon)).to(arms.pulls.device)
        pulls, paid = arms.whole
        left = tasks.horizon - pulls.sum(-1, keepdim=True)
        return pull_highest(table[left, paid, pulls - paid])
