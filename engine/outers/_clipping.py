"""Clipping of outer gradients per replicate, so that none disturbs another."""

import torch
from torch import Tensor

from engine.protocol import Weights, square_root


def replicate_norm(grads: Weights) -> Tensor:
    """Return the L2 norm over all weights.

    Args:
        grads: Gradients by name; shape (replicate, …) each.

    Returns:
        Shape (replicate,).
    """
    squares = [grad.reshape(len(grad), -1).square().sum(1) for grad in grads.values()]
    return square_root(torch.stack(squares).sum(0))


def clip_per_replicate(grads: Weights, limit: float) -> Weights:
    """Clip each replicate's gradient by its norm; one that is not finite becomes zero.

    Args:
        grads: Gradients by name; shape (replicate, …) each.
        limit: Largest L2 norm over all weights; 0 disables clipping.
    """
    factor = clip_factor(grads, limit)
    # The factor of such a gradient is 0, but 0 · NaN would still be NaN.
    return {
        name: torch.nan_to_num(grad, 0.0, 0.0, 0.0)
        * factor.view(-1, *[1] * (grad.dim() - 1))
        for name, grad in grads.items()
    }


def clip_factor(grads: Weights, limit: float) -> Tensor:
    """Return the factor that `clip_per_replicate` applies to each replicate.

    Args:
        grads: Gradients by name; shape (replicate, …) each.
        limit: Largest L2 norm; 0 disables clipping.

    Returns:
        Shape (replicate,): 1 below the limit, 0 where the norm is not finite.
    """
    norm = replicate_norm(grads)
    factor = torch.ones_like(norm)
    if limit:
        # A norm below the limit is raised to it: the factor is then exactly 1.
        factor = limit / norm.clamp(min=limit)
    return torch.where(norm.isfinite(), factor, torch.zeros_like(norm))


def to_rows(weights: Weights) -> Tensor:
    """Concatenate each replicate's weights, by name; shape (replicate, weight)."""
    rows = [weights[name].reshape(len(weights[name]), -1) for name in sorted(weights)]
    return torch.cat(rows, 1)


def from_rows(rows: Tensor, like: Weights) -> Weights:
    """Undo `to_rows`.

    Args:
        rows: Shape (replicate, weight).
        like: Weights of the wanted names, shapes and order.
    """
    names = sorted(like)
    parts = rows.split([like[name][0].numel() for name in names], 1)
    found = dict(zip(names, parts, strict=True))
    return {name: found[name].reshape(like[name].shape) for name in like}
