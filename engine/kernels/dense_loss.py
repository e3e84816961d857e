"""Loss, gradient and accuracy of small dense nets, by the compiled kernels."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from engine.kernels.compiler import load_kernels

# Weights of the largest layer: from about here on, torch's matrix products are faster.
LARGEST = 1024
ACTIVATIONS = ("relu", "tanh", "sigmoid")  # in the order of the kernels' numbers
_TORCH_ONLY = ContextVar("torch_only", default=False)
_NO_VALUES = np.empty((0, 0), np.float32)
_NO_ACCURACY = np.empty(0, np.float32)


@dataclass(frozen=True)
class DenseLayers:
    """A net that is nothing but dense layers, whose weights lie as w0, b0, w1, ….

    Args:
        sizes: Units of each layer, from the inputs to the outputs.
        activation: Name of the activation of all hidden layers.
    """

    sizes: tuple[int, ...]
    activation: str


class DenseResult(NamedTuple):
    """Result of the kernels; shape (member,), and (member, weight) for `grad`."""

    loss: Tensor
    accuracy: Tensor | None
    grad: Tensor | None


@dataclass(frozen=True)
class DenseKernel:
    """The compiled code for one net."""

    layers: DenseLayers
    module: ModuleType

    def evaluate(
        self,
        weights: Tensor,
        x: Tensor,
        y: Tensor,
        *,
        grad: bool = False,
        accuracy: bool = False,
    ) -> DenseResult:
        """Compute the mean loss of each member.

        Args:
            weights: Flat weights; float32, shape (member, weight).
            x: Inputs; shape (member, feature, example).
            y: Classes (int64) or regression targets; shape (member, example).
            grad: Whether to compute the gradient.
            accuracy: Whether to compute the accuracy; NaN where an output is not
                finite. Classes only.

        Returns:
            Cross-entropy in nats or squared error, and what was asked for.
        """
        members, total = weights.shape
        loss = np.empty(members, np.float32)
        right = np.empty(members, np.float32) if accuracy else _NO_ACCURACY
        slope = np.empty((members, total), np.float32) if grad else _NO_VALUES
        rows = self.make_rows(x.shape[2])
        net = self._arguments(weights, x, y)
        self.module.evaluate(*net, rows, loss, right, slope)
        return DenseResult(
            torch.from_numpy(loss),
            torch.from_numpy(right) if accuracy else None,
            torch.from_numpy(slope) if grad else None,
        )

    def multiply_hessian(
        self, weights: Tensor, x: Tensor, y: Tensor, vectors: Tensor
    ) -> Tensor:
        """Multiply the Hessian of each member's loss by a vector.

        Args:
            weights: As in `evaluate`, and so are x and y.
            x: See there.
            y: See there.
            vectors: Float32, shape (member, weight).

        Returns:
            Shape (member, weight).
        """
        # Compiled only where it is used: it takes as long as all the rest.
        from engine.kernels.dense_curvature import multiply_hessian

        product = np.zeros(tuple(weights.shape), np.float32)
        rows = self.make_rows(x.shape[2], copies=2)
        net = self._arguments(weights, x, y)
        multiply_hessian(*net, vectors.contiguous().numpy(), rows, product)
        return torch.from_numpy(product)

    def _arguments(self, weights: Tensor, x: Tensor, y: Tensor) -> tuple[Any, ...]:
        """Return the arguments with which a kernel for given weights begins."""
        return (
            weights.detach().contiguous().numpy(),
            x.contiguous().numpy(),
            # Classes are float32, too: a kernel is compiled for one type.
            y.float().contiguous().numpy(),
            self.net_for(y),
        )

    def net_for(self, y: Tensor) -> Any:
        """Return the net as kernels see it: `dense_kernels.Net`.

        Args:
            y: Targets, which decide what its outputs are.
        """
        activation = ACTIVATIONS.index(self.layers.activation)
        return self.module.Net(self._sizes, activation, not y.is_floating_point())

    @cached_property
    def _sizes(self) -> np.ndarray:
        return np.array(self.layers.sizes)

    def make_rows(self, examples: int, copies: int = 1) -> np.ndarray:
        """Return memory for a kernel to work in.

        Args:
            examples: Each gets a column; others fill up the lanes.
            copies: Of all units and gradients.
        """
        sizes, lanes = self.layers.sizes, self.module.LANES
        count = copies * (sum(sizes) + 2 * max(sizes)) + 2
        columns = -(-examples // lanes) * lanes
        # From a multiple of 64 bytes on: lanes across two cache lines take longer.
        memory = np.zeros((count + 1) * columns, np.float32)
        first = -memory.ctypes.data % 64 // memory.itemsize
        return memory[first : first + count * columns].reshape(count, columns)


@contextmanager
def torch_only() -> Iterator[None]:
    """Let torch compute everything meanwhile, as for a comparison with its code."""
    token = _TORCH_ONLY.set(True)
    try:
        yield
    finally:
        _TORCH_ONLY.reset(token)


def find_kernel(layers: DenseLayers | None, weights: Tensor) -> DenseKernel | None:
    """Return the compiled code for a net; None if torch must compute it.

    Args:
        layers: The net; None if it is not one of dense layers.
        weights: Any of its tensors, for device and type.
    """
    if layers is None or layers.activation not in ACTIVATIONS or _TORCH_ONLY.get():
        return None
    if weights.dtype != torch.float32 or weights.device.type != "cpu":
        return None
    if type(weights) not in (Tensor, Parameter):  # one that is traced
        return None
    if max(a * b for a, b in pairwise(layers.sizes)) > LARGEST:
        return None
    module = load_kernels()
    return None if isinstance(module, str) else _kernel_of(layers, module)


@lru_cache(64)
def _kernel_of(layers: DenseLayers, module: ModuleType) -> DenseKernel:
    return DenseKernel(layers, module)
