"""Multilayer perceptron: dense layers, the default base learner.

Source: Glorot and Bengio (2010) and He et al. (2015) for the initial weights.
Differs: batch normalization uses the current batch's statistics and no running ones;
only per-step normalization has a learned scale.
Helps: deeper and wider nets make rougher landscapes; depth 0 is a linear model.
"""

import itertools
import math
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.kernels.dense_loss import DenseLayers
from engine.nets.backpropagation import ACTIVATIONS, GAINS, SLOPES
from engine.nets.initialization import Start, make_layout, start_knob, start_weights
from engine.nets.normalization import (
    BATCHES,
    Normalizer,
    collect_statistics,
    norm_shapes,
    standardize_units,
)
from engine.protocol import BaseLearner, Layout, LossFn, Weights

STEPS = 6  # inner steps with statistics of their own, the start included
Activation = Literal["relu", "tanh", "gelu", "sigmoid"]


@register("net")
class Mlp(BaseLearner):
    """h ← a(norm(W h + b)) for each hidden layer; the last layer is linear."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot", "rl"})

    depth: int = knob(
        1,
        label="Hidden layers",
        unit="layers",
        low=0,
        high=8,
        work="passes",
        help="How many hidden layers; 0 is a linear model.",
    )
    width: int = knob(
        32,
        label="Width",
        unit="units",
        low=1,
        high=512,
        work="size",
        help="Units in each hidden layer.",
    )
    activation: Activation = knob(
        "relu", label="Activation", help="Activation function of the hidden units."
    )
    normalization: Literal[
        "none", "layer", "batch", "support_batch", "group", "meta_batch"
    ] = knob(
        "none",
        label="Normalization",
        help="Before each activation: over units (layer, group), over examples (batch) "
        "or over those of the support (support_batch), or by running statistics per "
        "inner step, which MAML++ updates (meta_batch; few-shot tasks only).",
    )
    batch_size: int = knob(
        0,
        label="Minibatch size",
        unit="examples",
        low=0,
        high=4096,
        help="Examples in each gradient; 0 uses the full batch.",
        only="optimization",
    )
    weight_decay: float = knob(
        0.0,
        label="Weight decay",
        unit="per step",
        low=0.0,
        high=1.0,
        help="Adds this share of the weights to every gradient.",
        advanced=True,
        only="optimization",
    )
    clip: float = knob(
        0.0,
        label="Gradient clip",
        unit="L2",
        low=0.0,
        high=1e6,
        help="Largest gradient norm that an optimizer sees; 0 never clips.",
        advanced=True,
        only="optimization",
    )

    start: Start = start_knob()

    def layout(self, shape: tuple[int, ...], outputs: int) -> Layout:
        """Return w0, b0, w1, b1, …; each layer is its weights and its bias."""
        widths = [math.prod(shape), *[self.width] * self.depth]
        layers = [
            {f"w{i}": (fan_out, fan_in)} | self._hidden_norm_shapes(str(i))
            for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths))
        ]
        if outputs:
            head = f"{self.depth}"
            layers.append({f"w{head}": (outputs, widths[-1]), f"b{head}": (outputs,)})
        return make_layout(layers)

    def _hidden_norm_shapes(self, layer: str) -> dict[str, tuple[int, ...]]:
        """Return a hidden layer's bias, and its per-step scale and statistics."""
        kind = "meta_batch" if self.normalization == "meta_batch" else "none"
        return norm_shapes(kind, layer, self.width, STEPS)

    def init(self, layout: Layout, rng: Rng) -> np.ndarray:
        """Draw weights as `start` says; "he" has gain 2 for relu and gelu only."""
        gain = GAINS[self.activation]
        # The head is linear, so it keeps the variance with gain 1.
        return start_weights(layout, rng, self.start, gain, {f"w{self.depth}": 1.0})

    @property
    def support_statistics(self) -> bool:
        """Return whether a query is normalized by its support's statistics."""
        return self.normalization == "support_batch"

    @property
    def min_examples(self) -> int:
        """Return 16: matrix products with fewer examples take longer.

        Batch statistics would see the padding, so those nets are not padded.
        """
        return 0 if self.normalization in BATCHES else 16

    def apply(
        self,
        weights: Weights,
        x: Tensor,
        reference: int | None = None,
        step: int = 0,
    ) -> Tensor:
        """Run the forward pass; see `Net.apply`."""
        norm = Normalizer(self.normalization, reference, step)
        return self._forward(weights, x, norm)

    def statistics(self, weights: Weights, x: Tensor, step: int = 0) -> Weights:
        """Return the batch statistics that running ones should move toward."""
        return collect_statistics(self._forward, self.normalization, weights, x, step)

    def _forward(self, weights: Weights, x: Tensor, norm: Normalizer) -> Tensor:
        act = ACTIVATIONS[self.activation]
        for i in range(self.depth):
            if norm.kind == "meta_batch":
                x = act(norm.apply_dense_layer(weights, str(i), x))
                continue
            x = torch.baddbmm(weights[f"b{i}"].unsqueeze(-1), weights[f"w{i}"], x)
            x = act(standardize_units(norm.kind, x, norm.reference))
        return apply_head(weights, x, self.depth)

    def dense_layers(self, layout: Layout) -> DenseLayers | None:
        """Return the layers' sizes, if nothing is normalized and there is a head."""
        shapes = dict(zip(layout.names, layout.shapes, strict=True))
        if self.normalization != "none" or f"w{self.depth}" not in shapes:
            return None
        outputs = (shapes[f"b{i}"][0] for i in range(self.depth + 1))
        return DenseLayers((shapes["w0"][1], *outputs), self.activation)

    @property
    def can_backpropagate(self) -> bool:
        """Return whether `backpropagate` can be used; it takes half the time."""
        return self.normalization == "none" and self.activation in SLOPES

    def backpropagate(
        self, weights: Weights, x: Tensor, loss_fn: LossFn
    ) -> tuple[Tensor, Tensor]:
        """Return loss and gradient without autograd.

        Args:
            weights: Named weights, member first.
            x: Inputs; shape (member, feature, example).
            loss_fn: Outputs → (loss, shape (member,); its gradient in the outputs).

        Returns:
            The loss, and the gradient in the layout's order, (member, weight).
        """
        act = ACTIVATIONS[self.activation]
        seen = [x]
        for i in range(self.depth + 1):
            bias = weights[f"b{i}"].unsqueeze(-1)
            x = torch.baddbmm(bias, weights[f"w{i}"], seen[-1])
            seen.append(act(x) if i < self.depth else x)
        loss, back = loss_fn(x)
        pieces: list[Tensor] = []
        for i in reversed(range(self.depth + 1)):
            # Bias before weights: the list is reversed into the layout's order below.
            pieces += [back.sum(2), torch.bmm(back, seen[i].mT).flatten(1)]
            if i:
                back = torch.bmm(weights[f"w{i}"].mT, back)
                back = SLOPES[self.activation](back, seen[i])
        return loss, torch.cat(pieces[::-1], 1)


def apply_head(weights: Weights, x: Tensor, layer: int) -> Tensor:
    """Apply the head, if the net has one.

    Args:
        weights: Named weights, member first.
        x: Features; shape (member, feature, example).
        layer: Number in the names of the head's w and b.

    Returns:
        Outputs, shape (member, output, example); the features where there is no head.
    """
    if f"w{layer}" not in weights:
        return x
    return torch.baddbmm(weights[f"b{layer}"].unsqueeze(-1), weights[f"w{layer}"], x)
