"""Bare functions to minimize: the weights are the function's arguments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol import (
    BatchSpec,
    Gradient,
    Layout,
    OptimizationBatch,
    Setting,
    Weights,
    generator,
)

Formula = Callable[[Tensor, Weights], Tensor]
GRID_CHUNK = 4096


class DrawnFunction(NamedTuple):
    """One sampled function: its start, shape (weight,), and its constants by name."""

    start: np.ndarray
    constants: dict[str, np.ndarray]


@dataclass
class FunctionBatch(OptimizationBatch):
    """Functions of flat weights; see `OptimizationBatch`.

    Args:
        formula: Weights (member, weight) and constants → loss (member,).
        constants: Tensors that lead with the member axis.
        noise: Added to the gradient of each step; shape (member, step, weight).
    """

    formula: Formula
    layout: Layout
    replicates: int
    horizon: int
    weights: Tensor
    constants: Weights
    noise: Tensor | None = None

    @property
    def members(self) -> int:
        """Return the number of functions in the batch."""
        return self.weights.shape[0]

    def start(self) -> Tensor:
        """Return each function's start; shape (member, weight)."""
        return self.weights

    def gradient(self, weights: Tensor, step: int, *, order: int = 0) -> Gradient:
        """Return the function's value and its gradient; see `OptimizationBatch`."""
        live = order > 0 and weights.requires_grad
        leaf = weights if live else weights.detach().requires_grad_()
        with torch.enable_grad():
            loss = self.formula(leaf, self.constants)
            grad = torch.autograd.grad(
                loss.sum(), leaf, create_graph=live and order == 2, retain_graph=live
            )[0]
        if self.noise is not None:
            grad = grad + self.noise[:, min(step, self.noise.shape[1] - 1)]
        return Gradient(loss if order else loss.detach(), grad, grad.norm(dim=1))

    def measure(self, weights: Tensor, step: int) -> Weights:
        """Return {}: a function has no held-out rows."""
        return {}

    def take(self, index: Sequence[int]) -> "Self":
        """Return the chosen members as one replicate."""
        chosen = torch.as_tensor(index, device=self.weights.device)
        return self.map_tensors(lambda tensor: tensor[chosen], 1)

    def repeat(self, particles: int) -> "Self":
        """Return the batch with each task repeated: replicate × particle × task."""
        return self.map_tensors(
            lambda tensor: (
                tensor.unflatten(0, (self.replicates, 1, -1))
                .expand(-1, particles, *[-1] * tensor.dim())
                .flatten(0, 2)
            ),
            self.replicates,
        )

    def surface(self, member: int, xs: Tensor, ys: Tensor) -> Tensor:
        """Return the values of a function of two weights over a grid.

        Args:
            member: Which function.
            xs: First weight of the columns; shape (x,).
            ys: Second weight of the rows; shape (y,).

        Returns:
            Shape (y, x).
        """
        points = torch.cartesian_prod(ys, xs).flip(1).to(self.weights)
        one = self.take([member])
        # Each point is a particle of the same function; chunks bound the memory.
        with torch.no_grad():
            rows = [
                self.formula(piece, one.repeat(len(piece)).constants)
                for piece in points.split(GRID_CHUNK)
            ]
        return torch.cat(rows).unflatten(0, (len(ys), len(xs)))

    def map_tensors(
        self, change: Callable[[Tensor], Tensor], replicates: int = 0
    ) -> "Self":
        """Apply a function to every tensor; see `OptimizationBatch`."""
        return replace(
            self,
            replicates=replicates or self.replicates,
            weights=change(self.weights),
            constants={name: change(t) for name, t in self.constants.items()},
            noise=None if self.noise is None else change(self.noise),
        )


def stack_functions(
    formula: Formula,
    draws: Sequence[DrawnFunction],
    setting: Setting,
    batch_spec: BatchSpec,
) -> FunctionBatch:
    """Make a batch of sampled functions, one member per draw.

    Args:
        formula: Weights (member, weight) and constants → loss (member,).
        draws: Starts and constants, of the same shapes.
        setting: The horizon.
        batch_spec: Replicates, device and dtype.
    """

    def to_tensor(arrays: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(arrays)).to(
            batch_spec.device, batch_spec.dtype
        )

    size = len(draws[0].start)
    return FunctionBatch(
        formula=formula,
        layout=Layout(("x",), ((size,),), (("x",),)),
        replicates=batch_spec.replicates,
        horizon=setting.horizon,
        weights=to_tensor([draw.start for draw in draws]),
        constants={
            name: to_tensor([draw.constants[name] for draw in draws])
            for name in draws[0].constants
        },
    )


def add_gradient_noise(
    tasks: FunctionBatch, rngs: Sequence[Rng], size: float
) -> FunctionBatch:
    """Add Gaussian noise to every gradient; a longer horizon keeps the earlier draws.

    Args:
        tasks: Functions without noise.
        rngs: One stream per member.
        size: Standard deviation of each gradient entry.
    """
    if not size:
        return tasks
    # One more than steps: the gradient at the final weights is measured, too.
    shape = (tasks.horizon + 1, tasks.weights.shape[1])
    drawn = [generator(rng.child("noise")).standard_normal(shape) for rng in rngs]
    noise = size * torch.from_numpy(np.stack(drawn)).to(tasks.weights)
    return replace(tasks, noise=noise)


def draw_plane(draw: np.random.Generator, turn: float, spread: float) -> np.ndarray:
    """Draw the transformation of a function in the plane: rotation and scale.

    Args:
        draw: Random numbers.
        turn: Largest rotation, in degrees.
        spread: Largest log scale.

    Returns:
        Shape (2, 2).
    """
    angle = draw.uniform(-turn, turn) * np.pi / 180.0
    size = np.exp(draw.uniform(-spread, spread))
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(size * np.array([[cos, -sin], [sin, cos]]))
