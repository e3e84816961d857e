"""Small dense nets over named weights, for learned optimizers, policies and critics."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol import Weights, generator


def init_dense(sizes: Sequence[int], rng: Rng, *, last: float = 0.0) -> Weights:
    """Draw a dense net's weights.

    Args:
        sizes: Widths from input to output.
        rng: Stream of this net.
        last: Scale of the output layer; 0 makes the initial outputs 0.

    Returns:
        `w0`, `b0`, `w1`, …; shapes (out, in) and (out,).
    """
    draw = generator(rng)
    weights: Weights = {}
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        scale = last if i == len(sizes) - 2 else 1.0
        drawn = draw.standard_normal((fan_out, fan_in)) * (scale / math.sqrt(fan_in))
        weights[f"w{i}"] = torch.from_numpy(drawn.astype(np.float32))
        weights[f"b{i}"] = torch.zeros(fan_out)
    return weights


def apply_dense(
    weights: Weights,
    x: Tensor,
    prefix: str = "",
    act: Callable[[Tensor], Tensor] = torch.tanh,
) -> Tensor:
    """Run the forward pass.

    Args:
        weights: Member first: `w0` (member, out, in), `b0` (member, out), ….
        x: Inputs; shape (member, feature, item).
        prefix: Prefix of the weights' names.
        act: Activation of the hidden units.

    Returns:
        Outputs; shape (member, out, item).
    """
    # Several nets may share a dictionary; the prefix tells them apart.
    layers = sum(name.startswith(f"{prefix}w") for name in weights)
    for i in range(layers):
        bias = weights[f"{prefix}b{i}"].unsqueeze(-1)
        x = torch.baddbmm(bias, weights[f"{prefix}w{i}"], x)
        if i < layers - 1:
            x = act(x)
    return x


def stack_members(nets: Sequence[Weights]) -> Weights:
    """Stack nets of the same shape; every tensor gains a leading member axis."""
    return {name: torch.stack([net[name] for net in nets]) for name in nets[0]}
