"""Other roundings: what a run would give on a processor that rounds otherwise.

Two machines agree on sums and products of two numbers, and differ where a library is
free to choose: in which order it adds, and the last bit of `exp` or `log`. Here the
numbers that go into such an operation are moved by their last bit, up, down or not at
all, at random. How far a run's rows then spread is how far another machine's may lie
from them, and no more than that is forgiven.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from engine.kernels import trainings
from engine.kernels.dense_loss import DenseKernel
from engine.protocol import Net, Sample, SampledFamily
from engine.tasks.search import growing, live_nets
from engine.tasks.search._live_data import live_task

_FREE = {
    "mm",
    "bmm",
    "baddbmm",
    "addmm",
    "addbmm",
    "mv",
    "addmv",
    "dot",
    "convolution",
    "convolution_backward",
    "_convolution",
    "im2col",
    "col2im",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "tanh",
    "sigmoid",
    "softplus",
    "sin",
    "cos",
    "erf",
    "gelu",
    "sqrt",
    "rsqrt",
    "pow",
    "logsumexp",
    "tanh_backward",
    "sigmoid_backward",
    "softplus_backward",
    "gelu_backward",
    "_softmax",
    "_log_softmax",
    "_softmax_backward_data",
    "_log_softmax_backward_data",
    "nll_loss_forward",
    "mse_loss",
    "sum",
    "mean",
    "var",
    "std",
    "var_mean",
    "linalg_vector_norm",
    "cumsum",
    "prod",
    "native_batch_norm",
    "native_batch_norm_backward",
    "native_layer_norm",
    "native_layer_norm_backward",
    "avg_pool2d",
    "_adaptive_avg_pool2d",
    "linalg_solve_ex",
    "_linalg_solve_ex",
    "linalg_cholesky_ex",
    "cholesky_solve",
    "linalg_solve_triangular",
    "linalg_lstsq",
    "_linalg_eigh",
    "_linalg_svd",
    "linalg_qr",
    "linalg_inv_ex",
    "linalg_lu_solve",
    "linalg_lu_factor_ex",
}


# What numpy draws: the data of a task, a net's first weights.
_DRAWN = ((SampledFamily, "sample"), (Net, "init"))
_REMEMBERED = (live_task, live_nets._evaluator, growing._evaluator)


class LastBits(TorchDispatchMode):
    """Moves the last bit of what goes into operations that machines round apart."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.draw = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func.overloadpacket.__name__ in _FREE:
            args = tree_map(self.moved, args)
        return func(*args, **(kwargs or {}))

    def moved(self, value: Any) -> Any:
        """Return a tensor of floats with its last bits moved, all else as it is."""
        if not isinstance(value, Tensor) or not value.is_floating_point():
            return value
        way = torch.randint(-1, 2, value.shape, generator=self.draw)
        return value * (1 + way * torch.finfo(value.dtype).eps).to(value.dtype)


@contextmanager
def rounded_otherwise(seed: int) -> Iterator[None]:
    """Compute as a machine would that rounds in its own way, one for each seed."""
    draw = np.random.default_rng(seed)
    with ExitStack() as stack:
        for parent, method in _DRAWN:
            for kind in _with_own(parent, method):
                patch = mock.patch.object(kind, method, _noisy(kind, method, draw))
                stack.enter_context(patch)
        for remembered in _REMEMBERED:  # nothing is looked up that was rounded before
            remembered.cache_clear()
            stack.callback(remembered.cache_clear)
        bits = stack.enter_context(LastBits(seed))
        # torch dispatches nothing inside of a kernel.
        for method in ("evaluate", "multiply_hessian"):
            patch = mock.patch.object(DenseKernel, method, _kernel_noise(bits, method))
            stack.enter_context(patch)
        train = mock.patch.object(trainings, "train_members", _training_noise(bits))
        stack.enter_context(train)
        yield


def _kernel_noise(bits: LastBits, method: str) -> Any:
    """Return a kernel's method whose inputs have their last bits moved."""
    exact = getattr(DenseKernel, method)

    def noisy(
        kernel: DenseKernel, weights: Tensor, x: Tensor, *rest: Any, **how: Any
    ) -> Any:
        return exact(kernel, bits.moved(weights), bits.moved(x), *rest, **how)

    return noisy


def _training_noise(bits: LastBits) -> Any:
    """Return trainings whose data and first weights have their last bits moved."""
    exact = trainings.train_members

    def noisy(
        kernel: DenseKernel, weights: Tensor, data: trainings.TrainingData, *rest: Any
    ) -> Any:
        moved = data._replace(x=bits.moved(data.x))
        return exact(kernel, bits.moved(weights), moved, *rest)

    return noisy


def _with_own(kind: type, method: str) -> Iterator[type]:
    """Yield a class and those below it that have the method themselves."""
    if method in vars(kind):
        yield kind
    for below in kind.__subclasses__():
        yield from _with_own(below, method)


def _noisy(kind: type, method: str, draw: np.random.Generator) -> Any:
    """Return a method whose answer has its floats moved by their last bit."""
    exact = vars(kind)[method]

    def noisy(*args: Any, **kwargs: Any) -> Any:
        return _moved(exact(*args, **kwargs), draw)

    return noisy


def _moved(value: Any, draw: np.random.Generator) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        way = draw.integers(-1, 2, value.shape) * np.finfo(value.dtype).eps
        return (value * (1 + way)).astype(value.dtype)
    if isinstance(value, Sample):
        arrays = {f.name: _moved(getattr(value, f.name), draw) for f in fields(value)}
        return replace(value, **arrays)
    return value
