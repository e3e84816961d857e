"""MT-Net: learn which outputs of each layer adapt, and in which coordinates.

Source: Lee and Choi (2018), arXiv:1801.05558, section 3.2 and algorithm 2.
Differs: the mask of a meta-training task is the relaxed sample itself, between 0 and 1,
at temperature 1. At test an output adapts if its ζ is at least 0, the mode. A mask
covers what T does: a layer's weights, and its bias if the layer holds nothing else; a
normalization adapts unmasked. The outer rule is a choice of the run.
Helps: tasks that differ in less than the whole net can express: the outputs that need
not adapt are left out. It tolerates inner rates as T-Net does.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import body_features
from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_rules import sgd, with_masks
from engine.algorithms.few_shot.layer_transforms import (
    identity_transforms,
    split_transforms,
    transformed_names,
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
    generator,
)


@register("learner")
class MtNet(GradientLearner):
    """W ← W − α M ∘ ∇_W L_S in y = T (W x + b); rows of M are m ~ Bernoulli(σ(ζ))."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "red"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True

    @property
    def gradients_per_episode(self) -> float:
        """Return k inner gradients, each differentiated again, and the outer one."""
        return 2.0 * self.inner_steps + 1.0

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
    ) -> Weights:
        """Return T, the identity, and a ζ of 0 for each output of each layer."""
        logits = {
            f"zeta.{layer[0]}": start[layer[0]].new_zeros(start[layer[0]].shape[:2])
            for layer in tasks.layout.layers
        }
        return identity_transforms(rngs, start, tasks) | logits

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at θ and take SGD steps with masked gradients, every T applied.

        Masks are sampled where `theta` holds their noise; else they are the mode.
        """
        start, through = split_transforms(theta, tasks)
        masks = {}
        for name, layer in transformed_names(tasks.layout).items():
            row = mask(theta[f"zeta.{layer}"], theta.get(f"noise.{layer}"))
            masks[name] = row.view(*row.shape, *[1] * (start[name].dim() - 2))
        rule = with_masks(sgd(self.inner_lr, self.inner_clip), masks)
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
        """Differentiate the query loss by θ, T and ζ, with a mask for each task."""
        task_loss = partial(self.adapted_loss, 2)
        noise = draw_mask_noise(step_context.rngs, meta.weights, tasks)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient, noise
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Return the share of outputs that adapt; compare orders of meta-gradients."""
        assert isinstance(tasks, EpisodeBatch)
        shares = [
            meta.weights[f"zeta.{layer[0]}"].sigmoid().mean(1)
            for layer in tasks.layout.layers
        ]
        seen = Inspection(("layer",), torch.stack(shares, 1))
        return meta_cosine(meta, tasks, self.adapted_loss) | {"adapted_share": seen}


def mask(logits: Tensor, noise: Tensor | None) -> Tensor:
    """Return a mask of outputs: a relaxed sample, or its mode without noise.

    Args:
        logits: ζ, the log odds that an output adapts; shape (member, output).
        noise: Differences of two Gumbel variables; the same shape.

    Returns:
        0 to 1; shape (member, output).

    >>> mask(torch.tensor([[-1.0, 0.0, 1.0]]), None).tolist()
    [[0.0, 1.0, 1.0]]
    """
    if noise is None:
        return (logits >= 0).to(logits.dtype)
    return torch.sigmoid(logits + noise)


def draw_mask_noise(rngs: Sequence[Rng], weights: Weights, tasks: TaskBatch) -> Weights:
    """Draw the noise of a mask for each task and output.

    Args:
        rngs: One stream per replicate.
        weights: Meta-weights; shape (replicate, …).
        tasks: The episodes of this meta-step.

    Returns:
        `noise.` and the layer's name; shape (member, output).
    """
    each, noise = tasks.members // tasks.replicates, {}
    for name in (name for name in weights if name.startswith("zeta.")):
        layer = name.removeprefix("zeta.")
        shape = (each, weights[name].shape[1])
        # The difference of two Gumbel variables is logistic.
        rows = [
            generator(rng.child("mask", layer)).logistic(size=shape) for rng in rngs
        ]
        noise[f"noise.{layer}"] = torch.from_numpy(np.concatenate(rows)).to(
            weights[name]
        )
    return noise
