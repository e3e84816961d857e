"""Base class of strategies for bandits: from counts of pulls to chances of arms."""

from abc import abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.rl.fixed_strategy import FixedStrategy
from engine.algorithms.rl.rollouts import Agent, Decision, Seen
from engine.protocol import Environment, Meta, TaskBatch, TrialBatch, Weights


class ArmCounts(NamedTuple):
    """What was seen of each arm, with the prior as if it had been seen before.

    Args:
        pulls: Pulls of the trial; float, shape (member, lane, arm).
        total: Their rewards; shape (member, lane, arm).
        prior_pulls: Pulls that the prior is worth.
        prior_total: Rewards that the prior is worth.
    """

    pulls: Tensor
    total: Tensor
    prior_pulls: float
    prior_total: float

    @property
    def weight(self) -> Tensor:
        """Pulls with the prior's; shape (member, lane, arm)."""
        return self.pulls + self.prior_pulls

    @property
    def mean(self) -> Tensor:
        """Posterior mean of what an arm pays; shape (member, lane, arm)."""
        return (self.total + self.prior_total) / self.weight

    @property
    def whole(self) -> tuple[Tensor, Tensor]:
        """Pulls, and how often they paid 1; int64, shape (member, lane, arm)."""
        # A sum of ones may be off in its last bit; a cast would cut it to one less.
        return self.pulls.round().long(), self.total.round().long()


def prior_counts(world: Environment) -> tuple[float, float]:
    """Return how many pulls, and what rewards, the prior of an arm is worth.

    A uniform probability is Beta(1, 1): one success and one failure. A mean from
    N(0, 1) is as if rewards of variance σ² had been 0 in σ² pulls.
    """
    if world.arm_rewards == "bernoulli":
        return 2.0, 1.0
    return world.reward_sd**2, 0.0


class BanditStrategy(FixedStrategy):
    """Base class: a subclass gives each arm's chance to be pulled next.

    Ties go to the first arm: the order of arms is random.
    """

    answers: ClassVar[tuple[str, ...]] = ("arms",)

    @abstractmethod
    def chances(self, arms: ArmCounts, tasks: TrialBatch) -> Tensor:
        """Return the policy.

        Args:
            arms: What was seen.
            tasks: The tasks, for the kind of arms and the length of the trial.

        Returns:
            Probabilities; shape (member, lane, arm).
        """

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why there are no arms to pull; None if there are."""
        assert isinstance(tasks, TrialBatch)
        if tasks.environment.arm_rewards:
            return None
        return "it counts the pulls of arms, and these tasks are not bandits"

    def agent(self, tasks: TrialBatch) -> Agent:
        """Return the agent that counts pulls."""
        return _CountingAgent(self, tasks)


class _CountingAgent:
    """Remembers pulls and rewards of each arm."""

    def __init__(self, strategy: BanditStrategy, tasks: TrialBatch) -> None:
        self.strategy, self.tasks = strategy, tasks

    def start(self, members: int, lanes: int) -> Weights:
        """Return counts of nothing."""
        count = self.tasks.environment.actions.count
        nothing = self.tasks.noise.new_zeros(members, lanes, count)
        return {"pulls": nothing, "total": nothing}

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        """Count the last pull and choose the next."""
        pulls = memory["pulls"] + seen.action
        total = memory["total"] + seen.action * seen.reward.unsqueeze(-1)
        arms = ArmCounts(pulls, total, *prior_counts(self.tasks.environment))
        chances = self.strategy.chances(arms, self.tasks)
        below = chances.cumsum(-1) <= noise
        # Rounding may leave the last sum below 1.
        arm = below.sum(-1).clamp(max=chances.shape[-1] - 1)
        entropy = torch.special.entr(chances).sum(-1)
        return Decision(arm, {"pulls": pulls, "total": total}, entropy)


def pull_highest(index: Tensor) -> Tensor:
    """Return chances that are 1 for the arm of the highest index; (…, arm)."""
    best = index.argmax(-1)
    return torch.nn.functional.one_hot(best, index.shape[-1]).to(index.dtype)


def why_no_bernoulli(tasks: TrialBatch, needed_by: str) -> str | None:
    """Return the reason why arms are not of the kind that is needed; None if so.

    Args:
        tasks: The tasks.
        needed_by: What needs them, as the subject of the sentence.
    """
    rewards = tasks.environment.arm_rewards
    if rewards == "bernoulli":
        return None
    other = f"{rewards} arms" if rewards else "tasks that are not bandits"
    return f"{needed_by} is computed for arms that pay 0 or 1, not for {other}"
