"""A value function of many tasks: it infers the task from the episodes that it judges.

Its net sees a step's observation, its time, and the mean over the episodes of features
of all steps: a context that tells tasks, and policies, apart. It predicts the mean
reward per step that is left, so that its scale is that of a reward.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.advantages import advantages
from engine.algorithms.rl.actor_critic import Credit, assign_credit
from engine.algorithms.rl.policies import PolicyAndValue
from engine.algorithms.rl.returns import explained_variance
from engine.algorithms.rl.rollouts import Rollout, encode
from engine.protocol import TrialBatch, Weights

FAR = 10.0  # bound on an observation, so that its square stays moderate


class TaskCritic(NamedTuple):
    """A value net over observation, time and context.

    Args:
        tasks: The tasks.
        discount: γ.
    """

    tasks: TrialBatch
    discount: float

    @property
    def nets(self) -> PolicyAndValue:
        """Return the policy net, which sees the observation alone, and the critic."""
        world = self.tasks.environment
        seen, actions = world.observation, world.actions.count
        context = 3 * seen + 2 * actions + 1
        inputs = seen + 1 + context
        return PolicyAndValue(self.tasks.net, world.actions, seen, inputs)

    def values(self, weights: Weights, part: Rollout) -> Tensor:
        """Return what is expected before each step; shape (member, episode, step).

        Args:
            weights: Of both nets; shape (member, …).
            part: The episodes that are judged.
        """
        per_step = self.nets.value(weights, self._inputs(part))
        return per_step.view_as(part.reward) * self._steps_left(part)

    def start_values(self, weights: Weights, part: Rollout, seen: Tensor) -> Tensor:
        """Return the value of places at an episode's first step, per step.

        Args:
            weights: Of both nets; shape (member, …).
            part: The episodes that tell the task.
            seen: What the agent sees there; shape (place, number).

        Returns:
            Shape (member, place).
        """
        context = self._context(part)
        size = len(context), len(seen)
        o = seen.clamp(-FAR, FAR).expand(*size, -1)
        time, each = o.new_zeros(*size, 1), context.unsqueeze(1).expand(*size, -1)
        return self.nets.value(weights, torch.cat([o, time, each], 2))

    def error(self, weights: Weights, part: Rollout) -> Tensor:
        """Return the mean squared error, in units of a step's reward; (member,)."""
        gap = (self.values(weights, part) - self.returns(part)) / self._steps_left(part)
        alive = part.alive.to(gap)
        return (gap.square() * alive).sum((1, 2)) / alive.sum((1, 2)).clamp(min=1.0)

    def credit(self, weights: Weights, part: Rollout, trace: float) -> Credit:
        """Return what each step was worth; no gradient flows back.

        Args:
            weights: Of both nets; shape (member, …).
            part: The episodes.
            trace: λ of generalized advantage estimation.
        """
        value = self.values(weights, part).detach()
        return assign_credit(part.reward, value, part.alive, self.discount, trace)

    def explained_share(self, weights: Weights, part: Rollout) -> Tensor:
        """Return the share of the returns' variance that it explains; (member,)."""
        alive = part.alive.to(part.reward)
        value = self.values(weights, part).detach() * alive
        return explained_variance(value, self.returns(part) * alive)

    def returns(self, part: Rollout) -> Tensor:
        """Return the discounted rewards from each step on."""
        nothing = torch.zeros_like(part.reward)
        return advantages(part.reward, nothing, self.discount, 1.0)

    def _steps_left(self, part: Rollout) -> Tensor:
        """Return the discounted number of steps that are left; shape (step,)."""
        steps = part.reward.shape[2]
        left = torch.arange(steps, 0, -1, device=part.reward.device).to(part.reward)
        if self.discount == 1.0:
            return left
        return (1 - self.discount**left) / (1 - self.discount)

    def _inputs(self, part: Rollout) -> Tensor:
        """Return observation, time and context of each step; (member, item, number)."""
        o = part.observation.clamp(-FAR, FAR)
        steps = o.shape[2]
        t = (torch.arange(steps, device=o.device).to(o) / steps).view(1, 1, -1, 1)
        time = t.expand(*o.shape[:3], 1)
        context = self._context(part)[:, None, None].expand(*o.shape[:3], -1)
        return torch.cat([o, time, context], 3).flatten(1, 2)

    def _context(self, part: Rollout) -> Tensor:
        """Return what tells the task and the policy; shape (member, number)."""
        o = part.observation.clamp(-FAR, FAR)
        a, r = encode(self.tasks, part.action), part.reward.unsqueeze(3)
        features = torch.cat([o, o.square(), r * o, a, r * a, r], 3)
        alive = part.alive.to(o).unsqueeze(3)
        return (features * alive).sum((1, 2)) / alive.sum((1, 2)).clamp(min=1.0)
