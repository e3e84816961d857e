"""MAML: learn initial weights from which a few gradient steps solve a new task.

Source: Finn, Abbeel and Levine (2017), arXiv:1703.03400, algorithms 1 and 2.
Differs: the outer rule is a choice of the run, Adam in the paper; tasks are averaged,
not summed. α = 0.01 is the paper's for sinusoids; its Omniglot has 0.4 (5 ways).
Helps: where new tasks need other features, not only a new head; above all regression.
"""

from functools import partial
from typing import ClassVar

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_through_steps
from engine.contract.registry import register
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Inspection,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    Weights,
)


@register("learner")
class Maml(GradientLearner):
    """θ ← θ − β ∇ mean over tasks of L_Q(φ_k), φ_{i+1} = φ_i − α ∇L_S(φ_i), φ_0 = θ."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "blue"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    net_role: ClassVar[str] = "start"
    compiles: ClassVar[bool] = True

    @property
    def gradients_per_episode(self) -> float:
        """Return k inner gradients, each differentiated again, and the outer one."""
        return 2.0 * self.inner_steps + 1.0

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at θ and take SGD steps with one rate."""
        return Adaptation(theta, sgd(self.inner_lr, self.inner_clip))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss through the inner steps."""
        task_loss = partial(self.adapted_loss, 2)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Compare first-order and second-order meta-gradients."""
        return meta_cosine(meta, tasks, self.adapted_loss)
