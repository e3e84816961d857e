"""Implicit gradients: differentiate the solution of adaptation, not its steps.

Source: Rajeswaran et al. (2019), arXiv:1909.04630, for the equation; Hestenes and
Stiefel (1952) for conjugate gradients.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.algorithms.few_shot.inner_loop import support_gradient
from engine.algorithms.few_shot.inner_rules import InnerRule, clip_gradients
from engine.protocol import EpisodeBatch, Weights

# A vector of each member → its matrix times the vector; shape (member, weight).
MatrixProduct = Callable[[Tensor], Tensor]


def proximal_sgd(
    rate: float, pull: float, theta: Weights, clip: float = 0.0
) -> InnerRule:
    """Return gradient descent on the support loss plus pull/2 · ‖φ − θ‖².

    Args:
        rate: Learning rate.
        pull: λ, the strength of the proximal term.
        theta: θ, the center of the proximal term; shape (member, …).
        clip: Largest absolute value of an entry of the loss's gradient; 0 disables
            clipping. The proximal term is never clipped.
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
    """Return the function v → H v, H being the Hessian of the support loss.

    Args:
        tasks: The episodes.
        weights: The point at which H is taken; shape (member, …).
        names: The weights that H covers, in order.
        step: The inner step; selects per-step batch statistics.
    """
    at = weights | {name: weights[name].detach().requires_grad_() for name in names}
    _, grads = support_gradient(tasks, at, names, step=step, order=2)
    slope = flatten_weights(grads, names)

    def product(vector: Tensor) -> Tensor:
        found = torch.autograd.grad(
            slope,
            [at[name] for name in names],
            vector,
            retain_graph=True,  # one graph serves all products
            materialize_grads=True,  # H v = 0 where the gradient is constant
        )
        return flatten_weights(dict(zip(names, found, strict=True)), names)

    return product


def conjugate_gradients(product: MatrixProduct, right: Tensor, steps: int) -> Tensor:
    """Solve A x = b for each member separately, starting from x = 0.

    Args:
        product: v → A v; A is symmetric and positive definite.
        right: b; shape (member, weight).
        steps: Number of iterations, one product each.

    Returns:
        x; shape (member, weight). It stays unchanged once the residual is 0.

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
    """Concatenate named weights; shape (member, weight)."""
    return torch.cat([weights[name].flatten(1) for name in names], 1)


def unflatten_weights(rows: Tensor, like: Weights, names: Sequence[str]) -> Weights:
    """Undo `flatten_weights`.

    Args:
        rows: Shape (member, weight).
        like: Weights of the wanted shapes.
        names: Their order.
    """
    parts = rows.split([like[name][0].numel() for name in names], 1)
    return {
        name: part.view_as(like[name]) for name, part in zip(names, parts, strict=True)
    }


def _dot(one: Tensor, two: Tensor) -> Tensor:
    return (one * two).sum(1, keepdim=True)


def _safe_ratio(above: Tensor, below: Tensor) -> Tensor:
    """Return above / below; 0 where below is 0."""
    # The divisor is replaced before dividing, so that 0/0 never arises.
    safe = torch.where(below == 0, torch.ones_like(below), below)
    return torch.where(below == 0, torch.zeros_like(below), above / safe)
