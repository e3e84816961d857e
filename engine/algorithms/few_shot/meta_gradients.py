"""Outer gradients through inner steps or given per task; first against second order."""

from collections.abc import Callable

import torch
from torch import Tensor

from engine.algorithms.few_shot.outer_gradient import TaskLoss, outer_gradient
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
from engine.protocol.member_chunks import (
    broadcast_to_members,
    chunks,
    select_replicates,
)

# Meta-weights of each member and their episodes → loss, shape (member,), and the
# gradient of each member, shape (member, …).
TaskGradient = Callable[[Weights, EpisodeBatch], tuple[Tensor, Weights]]
FEW = 4  # tasks per replicate: `meta_cosine` costs two extra meta-gradients


def outer_with_statistics(
    meta: Meta, tasks: TaskBatch, outer: Callable[[list[BatchStatistics]], Outer]
) -> Outer:
    """Return an outer gradient together with updated running statistics.

    Args:
        meta: The meta-learner.
        tasks: The episodes of this meta-step.
        outer: Computes the outer gradient and appends the batch statistics that the
            net sees to the given list.
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
    noise: Weights | None = None,
) -> Outer:
    """Differentiate a loss after inner steps, and update running statistics.

    Args:
        meta: The meta-learner.
        tasks: The episodes of this meta-step.
        task_loss: List that collects statistics → loss, as of `outer_gradient`.
        compile_gradient: As in `OuterStepContext`.
        noise: As of `outer_gradient`.
    """
    return outer_with_statistics(
        meta,
        tasks,
        lambda seen: outer_gradient(
            meta, tasks, task_loss(seen), compile_gradient, noise
        ),
    )


def mean_member_gradients(
    meta: Meta,
    tasks: TaskBatch,
    given: TaskGradient,
    compile_gradient: Compile = run_eagerly,
) -> Outer:
    """Average gradients that the learner computes for each member.

    Args:
        meta: The meta-learner.
        tasks: The episodes of this meta-step.
        given: Meta-weights of each member and their episodes → losses and gradients;
            a meta-weight that has none gets zero.
        compile_gradient: As in `OuterStepContext`.

    Returns:
        The mean gradient, shape (replicate, …), and mean loss, shape (replicate,).
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
            # A replicate may span several chunks, so their gradients add up.
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
        tasks: Episodes; only the first few of each replicate are used.
        task_loss: Order of the inner gradients → the loss to differentiate.

    Returns:
        `meta_cosine`, shape (replicate,), over the net's weights.
    """
    assert isinstance(tasks, EpisodeBatch)
    few = tasks.first_tasks(FEW)
    first, second = (
        _flatten_gradient(outer_gradient(meta, few, task_loss(order)), few)
        for order in (1, 2)
    )
    return {"meta_cosine": Inspection((), torch.cosine_similarity(first, second, 1))}


def _flatten_gradient(outer: Outer, tasks: EpisodeBatch) -> Tensor:
    assert outer.grads is not None
    # The net's own weights only: learned rates are of another scale.
    names = [name for name in tasks.layout.names if name in outer.grads]
    return torch.cat([outer.grads[name].flatten(1) for name in names], 1)
