"""Compilation of outer gradients: one compiled function per shape of a chunk.

The eager code is traced once, its inner and outer gradients included, and the recorded
tensor operations are compiled. So a learner is written once, and the compiled formulas
are the eager ones. This is valid if the loss is a function of the learner's knobs, the
meta-weights and the episodes alone: any other number would be baked in as a constant.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.fx import GraphModule

from engine.algorithms.compiled_graphs import (
    Backend,
    FlatFunction,
    tensors_of,
    trace,
    with_tensors,
)
from engine.protocol import EpisodeBatch, ValueAndGrad, Weights


class CompiledFunction(NamedTuple):
    """A function of flat tensors, and the names of the weights it differentiates by."""

    run: FlatFunction
    names: tuple[str, ...]


class CompiledGradients:
    """Outer gradients of one learner, compiled when a shape is first seen."""

    def __init__(self, build: Backend) -> None:
        self._build = build
        self._made: dict[object, CompiledFunction] = {}

    def __call__(self, value_and_grad: ValueAndGrad) -> ValueAndGrad:
        """Return a compiled `value_and_grad`; it must always be the same function."""

        def compiled_gradient(
            weights: Weights, tasks: EpisodeBatch
        ) -> tuple[Tensor, Weights]:
            given = (*tensors_of(tasks), *weights.values())
            # Compiled code assumes strides, which an outer rule may change.
            inputs = [tensor.detach().contiguous() for tensor in given]
            shapes = tuple((tensor.shape, tensor.dtype) for tensor in inputs)
            key = (tasks.replicates, tuple(weights), shapes)
            if key not in self._made:
                graph, names = trace_gradients(value_and_grad, weights, tasks, inputs)
                # The graph already holds the backward pass: compile it for inference.
                with torch.no_grad():
                    self._made[key] = CompiledFunction(
                        self._build(graph, inputs), names
                    )
            made = self._made[key]
            with torch.no_grad():
                loss, *found = made.run(*inputs)
            return loss, dict(zip(made.names, found, strict=True))

        return compiled_gradient

    @property
    def count(self) -> int:
        """How many shapes have been compiled."""
        return len(self._made)


def trace_gradients(
    value_and_grad: ValueAndGrad,
    weights: Weights,
    tasks: EpisodeBatch,
    inputs: list[Tensor],
) -> tuple[GraphModule, tuple[str, ...]]:
    """Trace losses and gradients into one graph.

    Args:
        value_and_grad: Meta-weights and their episodes → losses and gradients.
        weights: Meta-weights, for their names.
        tasks: Episodes, for everything but their tensors.
        inputs: The tensors of the episodes, then the meta-weights.

    Returns:
        A graph from tensors to tensors (the losses, then the gradients), and the names
        of the weights that have a gradient, in its order.
    """
    names: list[str] = []

    def flat_gradients(*tensors: Tensor) -> tuple[Tensor, ...]:
        left = iter(tensors)
        some = with_tensors(tasks, left)
        loss, found = value_and_grad(dict(zip(weights, left, strict=True)), some)
        names[:] = found  # known only while tracing
        return (loss.detach(), *(grad.detach() for grad in found.values()))

    return trace(flat_gradients, inputs), tuple(names)


def relative_gaps(one: Weights, other: Weights) -> Tensor:
    """Return the relative L2 distance of two gradients, ‖one − other‖ / ‖other‖.

    Entries that are not finite in both count as equal; in only one, the distance is ∞.

    Args:
        one: Gradients by weight's name; shape (replicate, …) each.
        other: The reference, of the same names and shapes.

    Returns:
        Shape (replicate,), float64.

    >>> one = {"w": torch.tensor([[3.0, 4.0], [torch.nan, 1.0]])}
    >>> relative_gaps({"w": torch.tensor([[3.0, 9.0], [torch.nan, 1.0]])}, one).tolist()
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
