"""Outer gradients that are not an autograd of a loss, and what orders differ by."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.few_shot.learner import TaskLoss, outer_gradient
from engine.algorithms.few_shot.running_statistics import Seen, settled
from engine.protocol import (
    Episodes,
    Inspected,
    Meta,
    Outer,
    Quicken,
    TaskBatch,
    Weights,
    unchanged,
)
from engine.protocol.chunks import chunks, rows_of, spread

# Meta-weights of each member and their episodes → loss, shape (member,), and the
# gradient of each member, shape (member, …).
Given = Callable[[Weights, Episodes], tuple[Tensor, Weights]]
FEW = 4


def outer_settled(
    meta: Meta, tasks: TaskBatch, outer: Callable[[list[Seen]], Outer]
) -> Outer:
    """Move running statistics along with the meta-weights, where a net keeps them.

    Args:
        meta: The meta-learner.
        tasks: Its lessons.
        outer: Takes the outer gradient, and notes what the net sees on the way.
    """
    seen: list[Seen] = []
    found = outer(seen)
    return found._replace(settled=settled(meta.weights, seen, tasks.replicates))


def outer_adapted(
    meta: Meta,
    tasks: TaskBatch,
    lost: Callable[[list[Seen]], TaskLoss],
    quicken: Quicken,
) -> Outer:
    """Differentiate a loss that lies behind inner steps; settle what they showed.

    Args:
        meta: The meta-learner.
        tasks: Its lessons.
        lost: Where statistics are noted → the loss, as of `outer_gradient`.
        quicken: As a lesson has it.
    """
    return outer_settled(
        meta, tasks, lambda seen: outer_gradient(meta, tasks, lost(seen), quicken)
    )


def outer_given(
    meta: Meta, tasks: TaskBatch, given: Given, quicken: Quicken = unchanged
) -> Outer:
    """Take the mean of gradients that each member says itself.

    Args:
        meta: The meta-learner.
        tasks: Its lessons.
        given: Says a member's loss and its gradient; meta-weights that it does not
            name stay.
        quicken: As a lesson has it.
    """
    assert isinstance(tasks, Episodes)
    each = tasks.members // tasks.replicates
    grads = {name: torch.zeros_like(value) for name, value in meta.weights.items()}
    losses = []
    slopes = quicken(lambda rows, some: given(spread(rows, some.members), some))
    for members, replicates in chunks(tasks):
        some = tasks if len(members) == tasks.members else tasks.take(members)
        loss, found = slopes(rows_of(meta.weights, replicates), some)
        for name, grad in found.items():
            rows = grad.detach().unflatten(0, (len(replicates), -1)).sum(1) / each
            grads[name][replicates.start : replicates.stop] += rows
        losses.append(loss.detach())
    mean = torch.cat(losses).view(tasks.replicates, each).mean(1)
    return Outer(meta.memory, {"lesson_loss": mean}, grads)


def meta_cosine(
    meta: Meta, tasks: TaskBatch, lost: Callable[[int], TaskLoss]
) -> dict[str, Inspected]:
    """Compare the first-order meta-gradient with the second-order one.

    Args:
        meta: The meta-learner.
        tasks: Episodes; a few of each replicate are looked at.
        lost: Order of the inner gradients → the loss to be differentiated.

    Returns:
        `meta_cosine`, shape (replicate,), over the net's weights.
    """
    assert isinstance(tasks, Episodes)
    few = a_few(tasks, FEW)
    first, second = (
        _flat(outer_gradient(meta, few, lost(order)), few) for order in (1, 2)
    )
    return {"meta_cosine": Inspected((), torch.cosine_similarity(first, second, 1))}


def a_few(tasks: Episodes, count: int) -> Episodes:
    """Return the first tasks of each replicate."""
    each = tasks.members // tasks.replicates
    first = [r * each + i for r in range(tasks.replicates) for i in range(each)[:count]]
    return replace(tasks.take(first), replicates=tasks.replicates)


def _flat(outer: Outer, tasks: Episodes) -> Tensor:
    assert outer.grads is not None
    names = [name for name in tasks.layout.names if name in outer.grads]
    return torch.cat([outer.grads[name].flatten(1) for name in names], 1)
