"""Outer gradients are clipped per replicate, so that none disturbs another."""

import torch
from torch import Tensor

from engine.protocol import Weights


def replicate_norm(grads: Weights) -> Tensor:
    """Return the L2 norm over all weights; shape (replicate,)."""
    squares = [grad.reshape(len(grad), -1).square().sum(1) for grad in grads.values()]
    return torch.stack(squares).sum(0).sqrt()


def clipped(grads: Weights, limit: float) -> Weights:
    """Shorten each replicate's gradient to a limit; one that is no number is zero."""
    norm = replicate_norm(grads)
    factor = torch.ones_like(norm)
    if limit:
        factor = limit / norm.clamp(min=limit)
    factor = torch.where(norm.isfinite(), factor, torch.zeros_like(norm))
    return {
        name: torch.nan_to_num(grad, 0.0, 0.0, 0.0)
        * factor.view(-1, *[1] * (grad.dim() - 1))
        for name, grad in grads.items()
    }
