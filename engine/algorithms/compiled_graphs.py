"""Tensor programs as graphs: recorded from eager code, and compiled by TorchInductor.

What is recorded holds the gradients that the code takes, so a learner is written once.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor
from torch.fx import GraphModule

from engine.protocol import EpisodeBatch, OptimizationBatch

FlatFunction = Callable[..., Sequence[Tensor]]
# A recorded graph and example inputs → a compiled function.
Backend = Callable[[GraphModule, list[Tensor]], FlatFunction]
# Tasks that are nothing but tensors and fixed knobs.
TensorTasks = EpisodeBatch | OptimizationBatch

Tasks = TypeVar("Tasks", EpisodeBatch, OptimizationBatch)
COMPILERS = ("c++", "g++", "clang++", "cl")


def trace(function: FlatFunction, inputs: Sequence[Tensor]) -> GraphModule:
    """Record a function's tensor operations, gradients that it takes included.

    Args:
        function: From tensors to tensors; any other number becomes a constant.
        inputs: Tensors of the shapes that it will be given.
    """
    # Imported here, as only compiled runs need it.
    from torch.fx.experimental.proxy_tensor import make_fx

    with torch.enable_grad():
        # Fake tensors: the trace allocates and computes nothing.
        return make_fx(function, tracing_mode="fake")(*inputs)


def tensors_of(tasks: TensorTasks) -> list[Tensor]:
    """Return all tensors of a batch of tasks."""
    found: list[Tensor] = []

    def note(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    tasks.map_tensors(note)
    return found


def with_tensors(tasks: Tasks, tensors: Iterator[Tensor]) -> Tasks:
    """Return the tasks with other tensors, in the order of `tensors_of`.

    Args:
        tasks: The tasks.
        tensors: An iterator; exactly the tasks' tensors are taken from it.
    """
    return tasks.map_tensors(lambda _: next(tensors))


def compiler() -> str:
    """Return the path of a C++ compiler ($CXX first); empty if there is none."""
    asked = os.environ.get("CXX", "")
    found = (shutil.which(name) for name in (asked, *COMPILERS) if name)
    return next((path for path in found if path), "")


def inductor(graph: GraphModule, inputs: list[Tensor]) -> FlatFunction:
    """Compile by TorchInductor, in this process and with `compiler()`."""
    from torch import _inductor
    from torch._inductor import config

    # A pool of compile processes would outlive its worker.
    with config.patch(compile_threads=1):
        made: FlatFunction = _inductor.compile(
            graph, [*inputs], options={"cpp.cxx": (compiler(),)}
        )
    return made
