"""Bayes optimum: the best possible strategy for Bernoulli arms, computed exactly.

Source: Bellman (1956); dynamic programming over the counts of each arm, as described in
Duan et al. (2016), arXiv:1611.02779, section 3.1, but with interchangeable arms.
Differs: the prior is U(0, 1) for every arm and arms do not drift, whatever the family
says: elsewhere it is the optimum for another distribution, and can be beaten.
Helps: no agent can have a higher expected return on uniform arms; one that does has
seen what it must not see.
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
from engine.algorithms.rl.bandits.bayes_optimum import (
    STATES,
    count_keys,
    count_states,
    solve_bandit,
)
from engine.contract.registry import register
from engine.protocol import Meta, TaskBatch, TrialBatch


@register("learner")
class BayesOptimum(BanditStrategy):
    """V(h) = max_a p_a (1 + V(h, a, 1)) + (1 − p_a) V(h, a, 0), p_a = E[p_a | h]."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "gray"
    is_bound: ClassVar[bool] = True
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot be computed; None if it can."""
        assert isinstance(tasks, TrialBatch)
        arms, pulls = tasks.environment.actions.count, tasks.horizon
        if reason := why_no_bernoulli(tasks, "the Bayes optimum"):
            return reason
        if count_states(arms, pulls) <= STATES:
            return None
        return (
            f"the Bayes optimum of {arms} arms and {pulls:,} pulls has more than "
            f"{STATES:,} states, too many to be computed in a second; the Gittins "
            "index comes close to it"
        )

    def chances(self, arms: ArmCounts, tasks: TrialBatch) -> Tensor:
        """Pull the arm that the dynamic program found best."""
        pulls, paid = arms.whole
        device, horizon = pulls.device, tasks.horizon
        keys = torch.from_numpy(count_keys(horizon)).to(device)[pulls, paid].sum(-1)
        now = int(pulls[0, 0].sum())
        level = solve_bandit(arms.pulls.shape[-1], horizon)[now]
        known, own, wins = (
            torch.from_numpy(row).to(device)
            for row in (level.keys, level.pulls, level.paid)
        )
        at = torch.searchsorted(known, keys).unsqueeze(-1)
        best = (pulls == own[at]) & (paid == wins[at])
        return pull_highest(best.to(arms.pulls))
