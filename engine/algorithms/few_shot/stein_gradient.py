"""Stein variational gradient descent: particles that descend together and repel.

Source: Liu and Wang (2016), arXiv:1608.04471, algorithm 1 and equation 8.
Differs: the bandwidth is med² / log(M + 1), as in the authors' code, with the median
over pairs of different particles; with log M, one particle would divide by 0.
"""

import math

import torch
from torch import Tensor

from engine.algorithms.few_shot.inner_rules import InnerRule, clip_gradients
from engine.protocol import Weights


def stein_descent(
    rate: float, count: int, temperature: Tensor, clip: float = 0.0
) -> InnerRule:
    """Return the update rule of particles that sample exp(−loss / temperature).

    φ_m ← φ_m − α/M Σ_j [k(φ_j, φ_m) ∇L(φ_j) − τ ∇_{φ_j} k(φ_j, φ_m)].

    Args:
        rate: α.
        count: M, the particles of each member.
        temperature: τ, the factor of the repulsion; shape (member,).
        clip: Largest absolute value of a gradient entry; 0 disables clipping.
    """

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        rows = _to_rows({name: weights[name] for name in grads}, count)
        slopes = _to_rows(clip_gradients(grads, clip), count)
        kernel, repulsion = rbf_kernel(rows)
        pull = temperature.view(-1, 1, 1) * repulsion
        moved = _from_rows((kernel @ slopes - pull) / count, grads)
        return {
            name: torch.add(weights[name], way, alpha=-rate)
            for name, way in moved.items()
        }

    return rule


def rbf_kernel(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return k(φ_j, φ_m) = exp(−‖φ_j − φ_m‖² / h) and the sum over j of its gradients.

    Args:
        rows: φ; shape (member, particle, weight).

    Returns:
        The kernel, shape (member, particle, particle), and for each particle m the sum
        of ∇_{φ_j} k over j, shape (member, particle, weight).
    """
    # Around their mean: products of long vectors would cancel in float32.
    around = rows - rows.mean(1, keepdim=True)
    product = around @ around.mT
    own = product.diagonal(dim1=1, dim2=2)
    # Rounding may leave a little below 0 where particles coincide.
    square = (own.unsqueeze(1) + own.unsqueeze(2) - 2.0 * product).clamp(min=0.0)
    width = bandwidth(square).view(-1, 1, 1)
    kernel = (-square / width).exp()
    # ∇_{φ_j} k = −2/h (φ_j − φ_m) k, summed over j.
    away = around * kernel.sum(2, keepdim=True) - kernel @ around
    return kernel, 2.0 / width * away


def bandwidth(square: Tensor) -> Tensor:
    """Return h by the median heuristic.

    Args:
        square: Squared distances; shape (member, particle, particle).

    Returns:
        Shape (member,); 1 where particles coincide or there is one.
    """
    count = square.shape[1]
    first, second = torch.triu_indices(count, count, 1, device=square.device)
    if not len(first):
        return square.new_ones(len(square))
    width = square[:, first, second].median(1).values / math.log(count + 1)
    return torch.where(width > 0, width, torch.ones_like(width))


def _to_rows(weights: Weights, count: int) -> Tensor:
    """Concatenate the weights of each particle; (member, particle, weight)."""
    rows = [value.unflatten(0, (-1, count)).flatten(2) for value in weights.values()]
    return torch.cat(rows, 2)


def _from_rows(rows: Tensor, like: Weights) -> Weights:
    """Undo `_to_rows`: shape (member × particle, …) by name."""
    parts = rows.flatten(0, 1).split([v[0].numel() for v in like.values()], 1)
    return {
        name: part.view_as(value)
        for (name, value), part in zip(like.items(), parts, strict=True)
    }
