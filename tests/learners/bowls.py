"""A landscape with nothing hidden: f(x) = ½ (x − c)ᵀ A (x − c), member by member."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.protocol import Gradient, Layout, OptimizationBatch, Weights

Change = Callable[[Tensor], Tensor]
Draw = Callable[..., OptimizationBatch]


@dataclass
class Bowls(OptimizationBatch):
    """Quadratics; `curve` is A, shape (member, n, n), `center` c, (member, n)."""

    curve: Tensor
    center: Tensor
    first: Tensor
    horizon: int = 50
    replicates: int = 1

    @property
    def layout(self) -> Layout:  # type: ignore[override]
        return Layout(("x",), ((self.first.shape[1],),), (("x",),))

    @property
    def members(self) -> int:
        return self.first.shape[0]

    def start(self) -> Tensor:
        return self.first

    def gradient(self, weights: Tensor, step: int, *, order: int = 0) -> Gradient:
        away = weights - self.center
        grad = torch.einsum("mij,mj->mi", self.curve, away)
        loss = (away * grad).sum(1) / 2
        if order < 2:
            grad = grad.detach()
        return Gradient(loss if order else loss.detach(), grad, grad.norm(dim=1))

    def measure(self, weights: Tensor, step: int) -> Weights:
        return {}

    def take(self, index: Sequence[int]) -> "Bowls":
        rows = torch.as_tensor(index)
        return self.map_tensors(lambda tensor: tensor[rows], 1)

    def repeat(self, particles: int) -> "Bowls":
        def copies(tensor: Tensor) -> Tensor:
            led = tensor.unflatten(0, (self.replicates, 1, -1))
            return led.expand(-1, particles, *[-1] * tensor.dim()).flatten(0, 2)

        return self.map_tensors(copies, self.replicates)

    def map_tensors(self, change: Change, replicates: int = 0) -> "Bowls":
        return replace(
            self,
            replicates=replicates or self.replicates,
            curve=change(self.curve),
            center=change(self.center),
            first=change(self.first),
        )


def random_bowls(members: int, horizon: int = 50, size: int = 6) -> Bowls:
    """Draw positive definite bowls in float64."""
    draw = torch.Generator().manual_seed(3)
    half = torch.randn(members, size, size, generator=draw, dtype=torch.float64)
    center = torch.randn(members, size, generator=draw, dtype=torch.float64)
    first = torch.randn(members, size, generator=draw, dtype=torch.float64)
    return Bowls(half @ half.mT / size, center, first, horizon)
