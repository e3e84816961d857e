"""Outer gradients are clipped per replicate, so that none disturbs another."""

import torch
from torch import Tensor

from engine.protocol import Weights, square_root


def replicate_norm(grads: Weights) -> Tensor:
    """Return the L2 norm over all weights; shape (replicate,)."""
    squares = [grad.reshape(len(grad), -1).square().sum(1) for grad in grads.values()]
    return square_root(torch.stack(squares).sum(0))


def clip_per_replicate(grads: Weights, limit: float) -> Weights:
    """Shorten each replicate's gradient to a limit; one that is no number is zero."""
    factor = clip_factor(grads, limit)
    return {
        name: torch.nan_to_num(grad, 0.0, 0.0, 0.0)
        * factor.view(-1, *[1] * (grad.dim() - 1))
        for name, grad in grads.items()
    }


def clip_factor(grads: Weights, limit: float) -> Tensor:
    """Return by what `clip_per_replicate` multiplies each replicate's gradient."""
    norm = replicate_norm(grads)
    factor = torch.ones_like(norm)
    if limit:
        factor = limit / norm.clamp(min=limit)
    return torch.where(norm.isfinite(), factor, torch.zeros_like(norm))


def to_rows(weights: Weights) -> Tensor:
    """Put a replicate's weights in a row, by name; shape (replicate, weight)."""
    rows = [weights[name].reshape(len(weights[name]), -1) for name in sorted(weights)]
    return torch.cat(rows, 1)


def from_rows(rows: Tensor, like: Weights) -> Weights:
    """Undo `to_rows`, in the order of `like`."""
    names = sorted(like)
    parts = rows.split([like[name][0].numel() for name in names], 1)
    found = dict(zip(names, parts, strict=True))
    return {name: found[name].reshape(like[name].shape) for name in like}
