"""Implicit gradients: through where adaptation ends, not through how it got there.

Source: Rajeswaran et al. (2019), arXiv:1909.04630, for the equation; Hestenes and
Stiefel (1952) for conjugate gradients.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.algorithms.few_shot.inner_loop import (
    InnerRule,
    clip_gradients,
    support_gradient,
)
from engine.protocol import EpisodeBatch, Weights

# Vectors of each member → a matrix times them; (member, weight) both.
MatrixProduct = Callable[[Tensor], Tensor]


def proximal_sgd(
    rate: float, pull: float, theta: Weights, clip: float = 0.0
) -> InnerRule:
    """Return descent on the support's loss plus pull/2 · ‖φ − θ‖².

    Args:
        rate: Size of a step.
        pull: How strongly weights are held to θ.
        theta: Where they are held to; shape (member, …).
        clip: Largest number that the loss's gradient may hold; 0 never clips.
    """

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        return {
            name: weights[name] - rate * (grad + pull * (weights[name] - theta[name]))
            for name, grad in clip_gradients(grads, clip).items()
        }

    return rule


def hessian_product(
    tasks: EpisodeBatch, weights: Weights, names: Sequence[str], step: int = 0
) -> MatrixProduct:
    """Return what multiplies by the Hessian of the support's loss.

    Args:
        tasks: The episodes.
        weights: Where it is taken; shape (member, …).
        names: The weights that it is of, in order.
        step: Inner step that the weights are of.
    """
    at = weights | {name: weights[name].detach().requires_grad_() for name in names}
    _, grads = support_gradient(tasks, at, names, step=step, order=2)
    slope = flatten_weights(grads, names)

    def product(vector: Tensor) -> Tensor:
        found = torch.autograd.grad(
            slope,
            [at[name] for name in names],
            vector,
            retain_graph=True,
            materialize_grads=True,
        )
        return flatten_weights(dict(zip(names, found, strict=True)), names)

    return product


def conjugate_gradients(product: MatrixProduct, right: Tensor, steps: int) -> Tensor:
    """Solve A x = b for each member by itself.

    Args:
        product: Multiplies by A, which is symmetric and positive definite.
        right: b; shape (member, weight).
        steps: How many products may be taken.

    Returns:
        x; shape (member, weight). A member whose residual is 0 has arrived.

    >>> scale = torch.tensor([[1.0, 4.0]])
    >>> right = torch.tensor([[1.0, 1.0]])
    >>> conjugate_gradients(lambda v: scale * v, right, 2)
    tensor([[1.0000, 0.2500]])
    """
    x, rest, way = torch.zeros_like(right), right, right
    square = _dot(rest, rest)
    for _ in range(steps):
        moved = product(way)
        length = _safe_ratio(square, _dot(way, moved))
        x = x + length * way
        rest = rest - length * moved
        new = _dot(rest, rest)
        way = rest + _safe_ratio(new, square) * way
        square = new
    return x


def flatten_weights(weights: Weights, names: Sequence[str]) -> Tensor:
    """Put named weights in a row; shape (member, weight)."""
    return torch.cat([weights[name].flatten(1) for name in names], 1)


def unflatten_weights(rows: Tensor, like: Weights, names: Sequence[str]) -> Weights:
    """Undo `flat`."""
    parts = rows.split([like[name][0].numel() for name in names], 1)
    return {
        name: part.view_as(like[name]) for name, part in zip(names, parts, strict=True)
    }


def _dot(one: Tensor, two: Tensor) -> Tensor:
    return (one * two).sum(1, keepdim=True)


def _safe_ratio(above: Tensor, below: Tensor) -> Tensor:
    """Divide; 0 where nothing is left to divide by."""
    safe = torch.where(below == 0, torch.ones_like(below), below)
    return torch.where(below == 0, torch.zeros_like(below), above / safe)
