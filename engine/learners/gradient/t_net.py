"""T-Net: learn the coordinates in which each layer's inner steps are taken.

Source: Lee and Choi (2018), arXiv:1801.05558, section 3.1.
Differs: no mask on the inner gradient; that is MT-Net. T multiplies a layer's weights,
and also its bias if the layer holds nothing else (no normalization).
Helps: less sensitive to the inner rate. T is square and has no activation, so T W is
just another W: the net computes no function that MAML's cannot, and MAML with the same
net is the fair comparison. T changes only the metric of inner steps, T Tᵀ.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import body_features
from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.layer_transforms import (
    identity_transforms,
    split_transforms,
)
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_through_steps
from engine.contract.registry import register
from engine.contract.rng import Rng
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
class TNet(GradientLearner):
    """y = T (W x + b); (W, b) adapt as MAML's, (θ, T) ← (θ, T) − β ∇ mean L_Q(φ_k)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "orange"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    @property
    def gradients_per_episode(self) -> float:
        """Return k inner gradients, each differentiated again, and the outer one."""
        return 2.0 * self.inner_steps + 1.0

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
    ) -> Weights:
        """Return T for each layer, initially the identity."""
        return identity_transforms(rngs, start, tasks)

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at θ and take SGD steps; the net runs with each layer's T applied."""
        start, through = split_transforms(theta, tasks)
        rule = sgd(self.inner_lr, self.inner_clip)
        return Adaptation(start, rule, through=through)

    def embed(
        self, theta: Weights, tasks: EpisodeBatch
    ) -> tuple[Tensor, Tensor] | None:
        """Return the features of the net with each layer's T applied."""
        start, through = split_transforms(theta, tasks)
        return body_features(through(start), tasks)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss through the inner steps, by θ and T."""
        task_loss = partial(self.adapted_loss, 2)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Compare first-order and second-order meta-gradients."""
        return meta_cosine(meta, tasks, self.adapted_loss)
