"""Outer gradients that are not an autograd of a loss, and what orders differ by."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import TaskLoss, outer_gradient
from engine.algorithms.few_shot.running_statistics import (
    BatchStatistics,
    update_statistics,
)
from engine.protocol import (
    Compile,
    EpisodeBatch,
    Inspection,
    Meta,
    Outer,
    TaskBatch,
    Weights,
    run_eagerly,
)
from engine.protocol.chunks import broadcast_to_members, chunks, select_replicates

# Meta-weights of each member and their episodes → loss, shape (member,), and the
# gradient of each member, shape (member, …).
TaskGradient = Callable[[Weights, EpisodeBatch], tuple[Tensor, Weights]]
FEW = 4


def outer_with_statistics(
    meta: Meta, tasks: TaskBatch, outer: Callable[[list[BatchStatistics]], Outer]
) -> Outer:
    """Move running statistics along with the meta-weights, where a net keeps them.

    Args:
        meta: The meta-learner.
        tasks: Its lessons.
        outer: Takes the outer gradient, and notes what the net sees on the way.
    """
    seen: list[BatchStatistics] = []
    found = outer(seen)
    return found._replace(
        statistics=update_statistics(meta.weights, seen, tasks.replicates)
    )


def outer_through_steps(
    meta: Meta,
    tasks: TaskBatch,
    task_loss: Callable[[list[BatchStatistics]], TaskLoss],
    compile_gradient: Compile,
) -> Outer:
    """Differentiate a loss that lies behind inner steps; settle what they showed.

    Args:
        meta: The meta-learner.
        tasks: Its lessons.
        task_loss: Where statistics are noted → the loss, as of `outer_gradient`.
        compile_gradient: As a lesson has it.
    """
    return outer_with_statistics(
        meta,
        tasks,
        lambda seen: outer_gradient(meta, tasks, task_loss(seen), compile_gradient),
    )


def mean_member_gradients(
    meta: Meta,
    tasks: TaskBatch,
    given: TaskGradient,
    compile_gradient: Compile = run_eagerly,
) -> Outer:
    """Take the mean of gradients that each member says itself.

    Args:
        meta: The meta-learner.
        tasks: Its lessons.
        given: Says a member's loss and its gradient; meta-weights that it does not
            name stay.
        compile_gradient: As a lesson has it.
    """
    assert isinstance(tasks, EpisodeBatch)
    each = tasks.members // tasks.replicates
    grads = {name: torch.zeros_like(value) for name, value in meta.weights.items()}
    losses = []
    slopes = compile_gradient(
        lambda rows, some: given(broadcast_to_members(rows, some.members), some)
    )
    for members, replicates in chunks(tasks):
        some = tasks if len(members) == tasks.members else tasks.take(members)
        loss, found = slopes(select_replicates(meta.weights, replicates), some)
        for name, grad in found.items():
            rows = grad.detach().unflatten(0, (len(replicates), -1)).sum(1) / each
            grads[name][replicates.start : replicates.stop] += rows
        losses.append(loss.detach())
    mean = torch.cat(losses).view(tasks.replicates, each).mean(1)
    return Outer(meta.memory, {"lesson_loss": mean}, grads)


def meta_cosine(
    meta: Meta, tasks: TaskBatch, task_loss: Callable[[int], TaskLoss]
) -> dict[str, Inspection]:
    """Compare the first-order meta-gradient with the second-order one.

    Args:
        meta: The meta-learner.
        tasks: Episodes; a few of each replicate are looked at.
        task_loss: Order of the inner gradients → the loss to be differentiated.

    Returns:
        `meta_cosine`, shape (replicate,), over the net's weights.
    """
    assert isinstance(tasks, EpisodeBatch)
    few = first_tasks(tasks, FEW)
    first, second = (
        _flatten_gradient(outer_gradient(meta, few, task_loss(order)), few)
        for order in (1, 2)
    )
    return {"meta_cosine": Inspection((), torch.cosine_similarity(first, second, 1))}


def first_tasks(tasks: EpisodeBatch, count: int) -> EpisodeBatch:
    """Return the first tasks of each replicate."""
    each = tasks.members // tasks.replicates
    first = [r * each + i for r in range(tasks.replicates) for i in range(each)[:count]]
    return replace(tasks.take(first), replicates=tasks.replicates)


def _flatten_gradient(outer: Outer, tasks: EpisodeBatch) -> Tensor:
    assert outer.grads is not None
    names = [name for name in tasks.layout.names if name in outer.grads]
    return torch.cat([outer.grads[name].flatten(1) for name in names], 1)
