"""The compiled loss as an operation of torch, differentiable twice.

Its gradient comes with its value; the gradient's own derivative is a product with the
Hessian. Learners that ask for second order need not know which code computes it.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from engine.kernels.dense_loss import DenseKernel


def member_loss(
    kernel: DenseKernel, weights: Sequence[Tensor], x: Tensor, y: Tensor
) -> Tensor:
    """Return each member's mean loss.

    Args:
        kernel: The compiled code.
        weights: All tensors of the net in its layout's order, or one that holds them
            all; shape (member, …).
        x: Inputs, which are constants; shape (member, feature, example).
        y: Classes (int64) or regression targets; shape (member, example).

    Returns:
        Nats, or squared error; shape (member,).
    """
    if torch.is_grad_enabled() and any(w.requires_grad for w in weights):
        loss: Tensor = _Loss.apply(kernel, x, y, *weights)
        return loss
    return kernel.evaluate(_join(weights), x, y).loss


class _Loss(torch.autograd.Function):
    """Loss of each member, shape (member,)."""

    @staticmethod
    def forward(
        ctx: Any, kernel: DenseKernel, x: Tensor, y: Tensor, *weights: Tensor
    ) -> Tensor:
        found = kernel.evaluate(_join(weights), x, y, grad=True)
        ctx.kernel, ctx.grad = kernel, found.grad
        ctx.save_for_backward(x, y, *weights)
        return found.loss

    @staticmethod
    def backward(ctx: Any, up: Tensor) -> tuple[Tensor | None, ...]:
        grads = _Gradient.apply(ctx.kernel, ctx.grad, *ctx.saved_tensors)
        scaled = [g * up.view(-1, *[1] * (g.dim() - 1)) for g in grads]
        return (None, None, None, *scaled)


class _Gradient(torch.autograd.Function):
    """Gradients of each member's loss, in the shapes of the weights."""

    @staticmethod
    def forward(
        ctx: Any,
        kernel: DenseKernel,
        grad: Tensor,
        x: Tensor,
        y: Tensor,
        *weights: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.kernel = kernel
        ctx.save_for_backward(x, y, *weights)
        return _split(grad, weights)

    @staticmethod
    def backward(ctx: Any, *vectors: Tensor) -> tuple[Tensor | None, ...]:
        x, y, *weights = ctx.saved_tensors
        products = _Product.apply(ctx.kernel, x, y, *weights, *vectors)
        return (None, None, None, None, *products)


class _Product(torch.autograd.Function):
    """The Hessian times a vector: first the weights, then as many parts of it."""

    @staticmethod
    def forward(
        ctx: Any, kernel: DenseKernel, x: Tensor, y: Tensor, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        count = len(tensors) // 2
        weights, vectors = tensors[:count], tensors[count:]
        product = kernel.multiply_hessian(_join(weights), x, y, _join(vectors))
        return _split(product, weights)

    @staticmethod
    def backward(ctx: Any, *up: Tensor) -> tuple[Tensor | None, ...]:
        raise NotImplementedError(
            "compiled losses have two derivatives; take the third of float64 tensors, "
            "which torch computes"
        )


def _join(tensors: Sequence[Tensor]) -> Tensor:
    """Return flat tensors side by side; shape (member, weight)."""
    flat = [t.detach().flatten(1) for t in tensors]
    return flat[0] if len(flat) == 1 else torch.cat(flat, 1)


def _split(flat: Tensor, like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Cut flat tensors into the shapes of others."""
    parts = flat.split([w[0].numel() for w in like], 1)
    return tuple(p.view(w.shape) for p, w in zip(parts, like, strict=True))
