"""Policy from scratch: A2C or PPO in every new task, with nothing learned before.

Source: Mnih et al. (2016), arXiv:1602.01783 (A2C: its A3C without asynchrony);
Schulman et al. (2017), arXiv:1707.06347 (PPO).
Differs: a linear feature baseline, refitted to each batch of episodes, replaces the
value net, which learns little from a few episodes. The step size is the best on
validation trials, which uses more than a single task.
Helps: shows what a task teaches by itself: any gain over it is meta-learning.
"""

from collections.abc import Sequence
from typing import ClassVar

from engine.algorithms.rl.actor_critic_agent import ActorCriticAgent
from engine.algorithms.rl.gradient_agent import RATE, draw_fresh_weights, nets_of
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


@register("learner")
class PolicyFromScratch(ActorCriticAgent):
    """θ ← Adam(θ, −∇ mean_t min(ρ_t A_t, clip(ρ_t, 1 ± ε) A_t)), θ drawn per task."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "red"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the step size alone; shape (replicate,)."""
        assert isinstance(tasks, TrialBatch)
        return Meta({RATE: tasks.action_noise.new_full((len(rngs),), self.lr)}, {})

    def starts(self, weights: Weights, tasks: TrialBatch) -> Weights:
        """Return a policy that is drawn for each task, by the task's own numbers."""
        rates = broadcast_to_members(weights, tasks.members)
        return draw_fresh_weights(nets_of(tasks), tasks) | rates

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the weights unchanged: nothing is learned from other tasks."""
        return Outer(meta.memory, {}, weights=meta.weights)
