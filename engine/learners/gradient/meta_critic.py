"""Meta-learned critic: in a new task, a fresh policy starts with a learned critic.

Source: ours. Policy and value net are those of an actor-critic agent (Mnih et al. 2016,
arXiv:1602.01783); a critic that infers the task is found in Xu et al. (2020),
arXiv:2007.08433, and Kirsch et al. (2020), arXiv:1910.04098, in other forms.
Differs: the critic learns returns of policies that learn in many tasks; nothing is
differentiated through their updates. It may also start a learned policy, and then both
are fine-tuned; or a fresh critic takes its place, for comparison.
Helps: a new policy knows at once which of its actions did better than expected, where a
fresh critic would have to be learned first.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.rl.actor_critic_agent import ActorCriticAgent
from engine.algorithms.rl.gradient_agent import (
    RATE,
    PolicyUpdate,
    draw_fresh_weights,
    play_and_update,
    trial_parts,
)
from engine.algorithms.rl.inner_updates import MemberAdam
from engine.algorithms.rl.policies import POLICY, VALUE
from engine.algorithms.rl.rollouts import Rollout
from engine.algorithms.rl.task_critic import TaskCritic
from engine.algorithms.rl.trial_gradients import (
    TrialLoss,
    policy_gain,
    training_info,
    trial_gradient,
)
from engine.algorithms.rl.trial_learner import ValueMaps
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    TrialBatch,
    Weights,
)
from engine.protocol.member_chunks import broadcast_to_members

Start = Literal["fresh", "learned"]


@register("learner")
class MetaCritic(ActorCriticAgent):
    """ψ ← ψ − β ∇ mean over tasks of (V_ψ(s, c_T) − G)²; a new task starts with V_ψ."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "Learned critic"
    hue: ClassVar[str] = "purple"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = True

    policy: Start = knob(
        "fresh",
        label="Policy at the start",
        help="Fresh: drawn anew for each task. Learned: meta-trained on all tasks, and "
        "fine-tuned along with the critic.",
    )
    critic: Start = knob(
        "learned",
        label="Critic at the start",
        help="Learned: meta-trained over tasks. Fresh: drawn anew for each task, for "
        "comparison.",
    )
    trace: float = knob(
        0.95,
        label="Trace λ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="λ of generalized advantage estimation: 0 relies on the critic, 1 on the "
        "rewards.",
        advanced=True,
    )

    @property
    def learned_prefixes(self) -> tuple[str, ...]:
        """Return how the names of meta-trained weights begin."""
        both = (POLICY, self.policy), (VALUE, self.critic)
        return tuple(prefix for prefix, start in both if start == "learned")

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the nets that are meta-trained, and note the step size."""
        assert isinstance(tasks, TrialBatch)
        like = tasks.action_noise
        drawn = TaskCritic(tasks, self.discount).nets.init(rngs, like)
        weights = {
            n: w for n, w in drawn.items() if n.startswith(self.learned_prefixes)
        }
        return Meta(weights | {RATE: like.new_full((len(rngs),), self.lr)}, {})

    def starts(self, weights: Weights, tasks: TrialBatch) -> Weights:
        """Return each member's nets: those that were learned, and fresh ones."""
        fresh = draw_fresh_weights(TaskCritic(tasks, self.discount).nets, tasks)
        return fresh | broadcast_to_members(weights, tasks.members)

    def policy_update(self, weights: Weights, tasks: TrialBatch) -> PolicyUpdate:
        """Return A2C's or PPO's update of policy and critic."""
        adam = MemberAdam(weights[RATE])
        names = [n for n in weights if n.startswith((POLICY, VALUE))]
        critic = TaskCritic(tasks, self.discount)

        def update(now: Weights, part: Rollout) -> Weights:
            credit = critic.credit(now, part, self.trace)
            policy_loss = self.policy_loss(now, part, tasks, credit)

            def loss(theta: Weights) -> Tensor:
                return policy_loss(theta) + critic.error(theta, part)

            for _ in range(self.steps_per_update):
                now = adam.step(now, loss, names)
            return now

        return update

    @torch.no_grad()
    def value_maps(
        self, weights: Weights, tasks: TrialBatch, seen: Tensor
    ) -> ValueMaps | None:
        """Return what the critic expects, told by the first and by the last part."""
        own, critic = self.starts(weights, tasks), TaskCritic(tasks, self.discount)
        parts = trial_parts(tasks.horizon, self.episodes, self.updates)
        update = self.chunked_update(own, tasks)
        maps = [
            critic.start_values(now, part, seen)
            for now, part in play_and_update(tasks, own, parts, update)
        ]
        return ValueMaps(maps[0], maps[-1])

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the gradients of the critic's error and of a learned policy's loss."""
        assert isinstance(tasks, TrialBatch)
        if not self.learned_prefixes:
            return Outer(meta.memory, {}, weights=meta.weights)
        return trial_gradient(meta, tasks, self._trial_loss)

    def _trial_loss(self, theta: Weights, tasks: TrialBatch) -> TrialLoss:
        """Return the losses of the meta-weights over the parts of the trials."""
        critic, played = TaskCritic(tasks, self.discount), []
        start = self.starts(theta, tasks)
        losses, errors, shares = [], [], []
        for part in self._training_parts(start, tasks):
            played.append(part)
            credit = critic.credit(start, part, self.trace)
            errors.append(critic.error(start, part))
            shares.append(critic.explained_share(start, part))
            losses.append(errors[-1])
            if self.policy == "learned":
                losses[-1] = losses[-1] - policy_gain(start, part, tasks, credit)
        info = training_info(played)
        info["value_loss"] = sum(errors).detach() / len(errors)
        info["explained_variance"] = sum(shares) / len(shares)
        return TrialLoss(sum(losses) / len(losses), info)

    def _training_parts(self, start: Weights, tasks: TrialBatch) -> Iterator[Rollout]:
        """Yield the episodes of meta-training.

        A learned policy plays whole trials; a fresh one learns, as it will in a test.
        """
        learned = self.policy == "learned"
        updates = 0 if learned else self.updates
        parts = trial_parts(tasks.horizon, self.episodes, updates)
        own = {name: weight.detach() for name, weight in start.items()}
        update = self.policy_update(own, tasks)
        for _, part in play_and_update(tasks, own, parts, update):
            yield part
