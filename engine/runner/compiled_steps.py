"""Compilation of whole meta-steps: inner steps, outer gradient and outer rule.

The eager meta-step is traced once, and the recorded tensor operations are compiled. So
nothing of it is written twice. What changes from step to step enters as a tensor: the
episodes, the meta-weights, the outer rule's state, and the share of training done.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.compiled_graphs import (
    Backend,
    FlatFunction,
    TensorTasks,
    tensors_of,
    trace,
    with_tensors,
)
from engine.protocol import (
    EpisodeBatch,
    Learner,
    Meta,
    OptimizationBatch,
    OuterStepContext,
    TaskBatch,
)
from engine.protocol.member_chunks import chunks
from engine.runner.outer_steps import OuterStep, StepResult, Trees, apply_outer

GIVEN = ("weights", "outer")  # the trees that a meta-step starts from
Names = dict[str, tuple[str, ...]]


class CompiledFunction(NamedTuple):
    """A compiled meta-step of flat tensors, and the names of what it returns."""

    run: FlatFunction
    names: Names


def covers_whole_step(learner: Learner, tasks: TaskBatch) -> bool:
    """Return whether a meta-step can be one function of tensors.

    Episodes in several chunks are not: the graph would hold each chunk anew.

    Args:
        learner: What is trained.
        tasks: The tasks of a meta-step.
    """
    if isinstance(tasks, OptimizationBatch):  # unrolled without chunks
        return True
    return not learner.draws_in_outer and len(list(chunks(tasks))) == 1


class CompiledStep:
    """The meta-step of one learner, compiled when a shape is first seen.

    It starts without memory, so each horizon must be one segment.
    """

    def __init__(self, eager: OuterStep, build: Backend) -> None:
        self._eager, self._build = eager, build
        self._made: dict[object, CompiledFunction] = {}

    def __call__(self, trees: Trees, tasks: TaskBatch, step: int) -> StepResult:
        """Return the result of a meta-step; see `TakeStep`."""
        assert isinstance(tasks, EpisodeBatch | OptimizationBatch)
        before = {part: trees[part] for part in GIVEN}
        done = torch.tensor(self._eager.share_done(step))
        given = [*tensors_of(tasks), *_flatten(before), done]
        # Compiled code assumes the strides of the first call.
        inputs = [tensor.detach().contiguous() for tensor in given]
        key = tuple((tensor.shape, tensor.dtype) for tensor in inputs)
        # The graph already holds the backward pass: compile it for inference.
        with torch.no_grad():
            if key not in self._made:
                self._made[key] = self._compile(before, tasks, inputs)
            made = self._made[key]
            found = _name_tensors(made.run(*inputs), made.names)
        grads, info = found.pop("grads"), found.pop("info")
        return StepResult(trees | found, info, grads)

    @property
    def count(self) -> int:
        """How many shapes have been compiled."""
        return len(self._made)

    def _compile(
        self, trees: Trees, tasks: TensorTasks, inputs: list[Tensor]
    ) -> CompiledFunction:
        names: Names = {}
        learner, context = self._eager.entry.learner, self._eager.context
        own = {part: tuple(tree) for part, tree in trees.items()}
        # No streams: what a compiled step drew would be the same at every step.
        step_context = OuterStepContext(0, 0, 1, ())

        def flat_step(*tensors: Tensor) -> tuple[Tensor, ...]:
            left = iter(tensors)
            some = with_tensors(tasks, left)
            *rest, done = left
            before = _name_tensors(rest, own)
            meta = Meta(before["weights"], {})
            outer = learner.outer(meta, some, step_context, context.estimator)
            after = apply_outer(context.outer, before, outer, done)
            found = after.trees | {"info": after.info, "grads": after.grads or {}}
            names.update({part: tuple(tree) for part, tree in found.items()})
            return tuple(tensor.detach() for tensor in _flatten(found))

        return CompiledFunction(self._build(trace(flat_step, inputs), inputs), names)


def _flatten(trees: Trees) -> list[Tensor]:
    return [tensor for tree in trees.values() for tensor in tree.values()]


def _name_tensors(tensors: Sequence[Tensor], names: Names) -> Trees:
    """Undo `_flatten`."""
    left = iter(tensors)
    return {
        part: dict(zip(keys, (next(left) for _ in keys), strict=True))
        for part, keys in names.items()
    }
