"""T-Net's layers: each is followed by a square matrix T that inner steps leave alone.

Source: Lee and Choi (2018), arXiv:1801.05558, section 3.1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.algorithms.few_shot.inner_loop import WeightTransform
from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, Layout, Weights


def identity_transforms(
    rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
) -> Weights:
    """Return T for each layer, initially the identity.

    Args:
        rngs: One stream per replicate.
        start: The net's initial weights; shape (replicate, …).
        tasks: Episodes, for the layout.

    Returns:
        `t.` and the name of the layer's weights; shape (replicate, output, output).
    """
    extra = {}
    for layer in tasks.layout.layers:
        out = start[layer[0]].shape[1]
        # `out=` takes over device and dtype.
        one = torch.eye(out, out=start[layer[0]].new_empty(0))
        extra[f"t.{layer[0]}"] = one.expand(len(rngs), -1, -1).contiguous()
    return extra


def transformed_names(layout: Layout) -> dict[str, str]:
    """Return the weights before a layer's T, each with the name of that layer's."""
    # T (W x + b) = (T W) x + T b, unless a normalization stands between W and b.
    return {
        name: layer[0]
        for layer in layout.layers
        for name in (layer if len(layer) == 2 else layer[:1])
    }


def split_transforms(
    theta: Weights, tasks: EpisodeBatch
) -> tuple[Weights, WeightTransform]:
    """Return the initial weights, and the function that applies every T to them.

    Args:
        theta: Meta-weights of each member; shape (member, …).
        tasks: Episodes, for the layout.
    """
    start = {name: theta[name] for name in tasks.layout.names}
    behind = {
        name: theta[f"t.{layer}"]
        for name, layer in transformed_names(tasks.layout).items()
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
