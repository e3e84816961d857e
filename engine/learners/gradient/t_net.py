"""T-Net: learn in which coordinates each layer's inner step is taken.

Source: Lee and Choi (2018), arXiv:1801.05558, section 3.1.
Differs: no mask on the inner gradient (MT-Net). T stands behind a layer's weights, and
behind its shift where the layer has nothing else.
Helps: less depends on the inner rate. The net has more weights than MAML's: T makes a
layer two, so a deeper MAML is the fair one to compare it with.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import body_features
from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_loop import WeightTransform, sgd
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
        """Return a T for each layer; it starts as the identity."""
        extra = {}
        for layer in tasks.layout.layers:
            out = start[layer[0]].shape[1]
            one = torch.eye(out, out=start[layer[0]].new_empty(0))
            extra[f"t.{layer[0]}"] = one.expand(len(rngs), -1, -1).contiguous()
        return extra

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Descend from θ at one rate, the net being run with every layer's T."""
        start, through = _split_weights(theta, tasks)
        rule = sgd(self.inner_lr, self.inner_clip)
        return Adaptation(start, rule, through=through)

    def embed(
        self, theta: Weights, tasks: EpisodeBatch
    ) -> tuple[Tensor, Tensor] | None:
        """Return the features behind every layer's T."""
        start, through = _split_weights(theta, tasks)
        return body_features(through(start), tasks)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the queries' loss through the inner steps."""
        task_loss = partial(self.adapted_loss, 2)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Say what second derivatives change."""
        return meta_cosine(meta, tasks, self.adapted_loss)


def _split_weights(
    theta: Weights, tasks: EpisodeBatch
) -> tuple[Weights, WeightTransform]:
    """Take the start and what stands behind its layers apart."""
    start = {name: value for name, value in theta.items() if not name.startswith("t.")}
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
    """Multiply a weight's outputs; (member, out, out) and (member, out, …)."""
    rows = weight.reshape(*weight.shape[:2], -1)
    return torch.bmm(matrix, rows).view_as(weight)
