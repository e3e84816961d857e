"""ANIL: MAML whose inner steps adapt only the head.

Source: Raghu, Raghu, Bengio and Vinyals (2020), arXiv:1909.09157, section 4.
Differs: the outer rule is a choice of the run, Adam in the paper. α is 0.05 by default,
not MAML's 0.01, as a head alone needs larger steps.
Helps: classification, where good features are shared and only classes are new; not
regression, whose tasks need other features.
"""

from functools import partial
from typing import ClassVar

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.knobs import inner_rate_knob
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
class Anil(GradientLearner):
    """θ ← θ − β ∇ mean over tasks of L_Q(body, h_k), h_{i+1} = h_i − α ∇_h L_S."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "pink"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    net_role: ClassVar[str] = "start"
    compiles: ClassVar[bool] = True

    inner_lr: float = inner_rate_knob(0.05)

    @property
    def gradients_per_episode(self) -> float:
        """Return k inner gradients, each differentiated again, and the outer one.

        A gradient of the head alone counts as one, too: it needs the whole net's
        forward pass.
        """
        return 2.0 * self.inner_steps + 1.0

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at θ and adapt only the last layer."""
        rule = sgd(self.inner_lr, self.inner_clip)
        return Adaptation(theta, rule, names=tasks.layout.layers[-1])

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss through the head's steps, by all weights."""
        task_loss = partial(self.adapted_loss, 2)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Compare first-order and second-order meta-gradients."""
        return meta_cosine(meta, tasks, self.adapted_loss)
