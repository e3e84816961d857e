"""Multi-task policy: one policy for all training tasks, fine-tuned in a new one.

Source: the pretrained baseline of Finn, Abbeel and Levine (2017), arXiv:1703.03400,
section 5.3.
Differs: it is trained by actor-critic gradients with the run's outer rule instead of
TRPO; in a new task it is fine-tuned by A2C or PPO with a tuned step size.
Helps: the strong baseline for meta-RL: good wherever one policy suits all tasks. With 0
updates it stays as it was trained.
"""

from typing import ClassVar

from engine.algorithms.rl.actor_critic_agent import ActorCriticAgent
from engine.algorithms.rl.trial_gradients import (
    TrialLoss,
    multi_task_loss,
    trial_gradient,
)
from engine.contract.registry import register
from engine.protocol import (
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    TrialBatch,
    Weights,
)


@register("learner")
class MultiTaskPolicy(ActorCriticAgent):
    """θ ← θ + β mean over tasks of ∇J_T(θ); in a new task PPO or A2C from θ."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "Multi-task, fine-tuned"
    hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = True

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the policy gradient of whole trials that are played with θ."""
        assert isinstance(tasks, TrialBatch)

        def loss(theta: Weights, some: TrialBatch) -> TrialLoss:
            return multi_task_loss(some, theta, self.credit)

        return trial_gradient(meta, tasks, loss)
