"""Policy from scratch: A2C or PPO in every new task, with nothing learned before.

Source: Mnih et al. (2016), arXiv:1602.01783 (A2C: its A3C without asynchrony);
Schulman et al. (2017), arXiv:1707.06347 (PPO).
Differs: a linear feature baseline, refitted to each batch of episodes, replaces the
value net, which learns little from a few episodes. The step size is the best on
validation trials, which uses more than a single task.
Helps: shows what a task teaches by itself: any gain over it is meta-learning.
"""

from typing import ClassVar

from engine.algorithms.rl.actor_critic_agent import ActorCriticAgent
from engine.contract.registry import register
from engine.protocol import Estimator, Meta, Outer, OuterStepContext, TaskBatch


@register("learner")
class PolicyFromScratch(ActorCriticAgent):
    """θ ← Adam(θ, −∇ mean_t min(ρ_t A_t, clip(ρ_t, 1 ± ε) A_t)), from a random θ."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "red"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the weights unchanged: nothing is learned from other tasks."""
        return Outer(meta.memory, {}, weights=meta.weights)
