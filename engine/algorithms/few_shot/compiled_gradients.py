"""A lesson's gradients as one compiled function for each shape of a chunk.

The eager code is followed once, its inner and outer gradients included, and what it
asked of tensors is compiled. So a learner is written once, and compiled formulas are
the eager ones. It holds where a loss is a function of the learner's knobs, the
meta-weights and the episodes alone: numbers of other origin would stay what they were.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.fx import GraphModule

from engine.protocol import Episodes, Shots, Slopes, Weights

Flat = Callable[..., Sequence[Tensor]]
# What was followed, and tensors to call it with → the same, faster.
Build = Callable[[GraphModule, list[Tensor]], Flat]

COMPILERS = ("c++", "g++", "clang++", "cl")


class Made(NamedTuple):
    """A function of flat tensors, and which weights its gradients are of."""

    run: Flat
    names: tuple[str, ...]


class Compiled:
    """Gradients of a learner's lessons, compiled when a shape is first seen."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._made: dict[object, Made] = {}

    def __call__(self, slopes: Slopes) -> Slopes:
        """Return what gives the same as `slopes`, which must always be the same."""

        def quick(weights: Weights, tasks: Episodes) -> tuple[Tensor, Weights]:
            given = (*tensors_of(tasks), *weights.values())
            # Compiled code relies on strides, and an outer rule may change them.
            inputs = [tensor.detach().contiguous() for tensor in given]
            shapes = tuple((tensor.shape, tensor.dtype) for tensor in inputs)
            key = (tasks.replicates, tuple(weights), shapes)
            if key not in self._made:
                graph, names = traced(slopes, weights, tasks, inputs)
                with torch.no_grad():
                    self._made[key] = Made(self._build(graph, inputs), names)
            made = self._made[key]
            with torch.no_grad():
                loss, *found = made.run(*inputs)
            return loss, dict(zip(made.names, found, strict=True))

        return quick

    @property
    def count(self) -> int:
        """How many shapes have been compiled."""
        return len(self._made)


def traced(
    slopes: Slopes, weights: Weights, tasks: Episodes, inputs: list[Tensor]
) -> tuple[GraphModule, tuple[str, ...]]:
    """Follow the gradients of a lesson; return all operations, in a row.

    Args:
        slopes: Meta-weights and their episodes → losses and gradients.
        weights: Meta-weights, for their names.
        tasks: Episodes, for all that is no tensor.
        inputs: The tensors of the episodes, then the meta-weights.

    Returns:
        The graph of tensors alone, and whose gradients it gives behind the losses.
    """
    from torch.fx.experimental.proxy_tensor import make_fx

    names: list[str] = []

    def flat(*tensors: Tensor) -> tuple[Tensor, ...]:
        left = iter(tensors)
        some = with_tensors(tasks, left)
        loss, found = slopes(dict(zip(weights, left, strict=True)), some)
        names[:] = found
        return (loss.detach(), *(grad.detach() for grad in found.values()))

    with torch.enable_grad():
        graph = make_fx(flat, tracing_mode="fake")(*inputs)
    return graph, tuple(names)


def tensors_of(tasks: Episodes) -> list[Tensor]:
    """Return the tensors that a lesson is made of."""
    shots = (tasks.support, tasks.query)
    return [t for part in shots for t in (part.x, part.y, part.ids) if t is not None]


def with_tensors(tasks: Episodes, tensors: Iterator[Tensor]) -> Episodes:
    """Return the episodes with other tensors, as `tensors_of` lists them."""

    def shots(old: Shots) -> Shots:
        x, y = next(tensors), next(tensors)
        return Shots(x, y, None if old.ids is None else next(tensors))

    support = shots(tasks.support)
    return replace(tasks, support=support, query=shots(tasks.query), truth=None)


def compiler() -> str:
    """Return where a C++ compiler is, or nothing."""
    asked = os.environ.get("CXX", "")
    found = (shutil.which(name) for name in (asked, *COMPILERS) if name)
    return next((path for path in found if path), "")


def inductor(graph: GraphModule, inputs: list[Tensor]) -> Flat:
    """Compile by torch's own compiler, in this process and with the compiler here."""
    from torch import _inductor
    from torch._inductor import config

    with config.patch(compile_threads=1):  # a pool would outlive its worker
        made: Flat = _inductor.compile(
            graph, [*inputs], options={"cpp.cxx": (compiler(),)}
        )
    return made


def gaps(one: Weights, other: Weights) -> Tensor:
    """Return how far gradients are apart, relative to the other one; (replicate,).

    Numbers that are none in both count as equal, in only one as infinitely far apart.

    >>> one = {"w": torch.tensor([[3.0, 4.0], [torch.nan, 1.0]])}
    >>> gaps({"w": torch.tensor([[3.0, 9.0], [torch.nan, 1.0]])}, one).tolist()
    [1.0, 0.0]
    """
    first, second = (
        torch.cat([tree[name].reshape(len(tree[name]), -1) for name in sorted(tree)], 1)
        for tree in (one, other)
    )
    sound = first.isfinite() & second.isfinite()
    apart = (first - second).where(sound, 0.0).double().norm(dim=1)
    size = second.where(sound, 0.0).double().norm(dim=1)
    relative = torch.where(apart > 0, apart / size, 0.0)
    unlike = (first.isfinite() != second.isfinite()).any(1)
    return relative.masked_fill(unlike, torch.inf)
