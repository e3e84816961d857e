"""T-Net: learn the coordinates in which each layer's inner steps are taken.

Source: Lee and Choi (2018), arXiv:1801.05558, section 3.1.
Differs: no mask on the inner gradient (MT-Net). T multiplies a layer's weights, and
also its bias if the layer holds nothing else (no normalization).
Helps: less sensitive to the inner rate. T is square and has no activation, so T W is
just another W: the net computes no function that MAML's cannot, and MAML with the same
net is the fair comparison. T changes only the metric of inner steps, T Tᵀ.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import body_features
from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_loop import WeightTransform
from engine.algorithms.few_shot.inner_rules import sgd
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
        extra = {}
        for layer in tasks.layout.layers:
            out = start[layer[0]].shape[1]
            # `out=` takes over device and dtype.
            one = torch.eye(out, out=start[layer[0]].new_empty(0))
            extra[f"t.{layer[0]}"] = one.expand(len(rngs), -1, -1).contiguous()
        return extra

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at θ and take SGD steps; the net runs with each layer's T applied."""
        start, through = _split_weights(theta, tasks)
        rule = sgd(self.inner_lr, self.inner_clip)
        return Adaptation(start, rule, through=through)

    def embed(
        self, theta: Weights, tasks: EpisodeBatch
    ) -> tuple[Tensor, Tensor] | None:
        """Return the features of the net with each layer's T applied."""
        start, through = _split_weights(theta, tasks)
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


def _split_weights(
    theta: Weights, tasks: EpisodeBatch
) -> tuple[Weights, WeightTransform]:
    """Return the initial weights, and the function that applies every T to them."""
    start = {name: value for name, value in theta.items() if not name.startswith("t.")}
    # T (W x + b) = (T W) x + T b, unless a normalization stands between W and b.
    behind = {
        name: theta[f"t.{layer[0]}"]
        for layer in tasks.layout.layers
        for name in (layer if len(layer) == 2 else layer[:1])
    }

    def apply_transforms(weights: Weights) -> Weights:
        return weights | {
            n: _multiply_outputs(t, weights[n]) for n, t in behind.items()
        }

    return start, apply_transforms


def _multiply_outputs(matrix: Tensor, weight: Tensor) -> Tensor:
    """Multiply a weight by T along its outputs.

    Args:
        matrix: T; shape (member, out, out).
        weight: Shape (member, out, …).
    """
    rows = weight.reshape(*weight.shape[:2], -1)
    return torch.bmm(matrix, rows).view_as(weight)
