"""Outer gradients of losses on episodes.

One chunk of members at a time, with one backward pass per chunk.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from engine.protocol import (
    Compile,
    EpisodeBatch,
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

TaskLoss = Callable[[Weights, EpisodeBatch], Tensor]


def outer_gradient(
    meta: Meta,
    tasks: TaskBatch,
    task_loss: TaskLoss,
    compile_gradient: Compile = run_eagerly,
    noise: Weights | None = None,
    per_member: bool = True,
) -> Outer:
    """Differentiate the mean loss over each replicate's episodes.

    Args:
        meta: The meta-learner.
        tasks: The episodes of this meta-step.
        task_loss: Meta-weights of each member and their episodes → loss, (member,).
        compile_gradient: As in `OuterStepContext`.
        noise: Random numbers that the loss finds among the weights; (member, …).
        per_member: Whether the loss takes each member's weights, or each replicate's.

    Returns:
        The gradient of the mean over a replicate's tasks, shape (replicate, …), and
        that mean, shape (replicate,).
    """
    assert isinstance(tasks, EpisodeBatch)
    each = tasks.members // tasks.replicates
    grads = {name: torch.zeros_like(value) for name, value in meta.weights.items()}
    losses = []
    for members, replicates in chunks(tasks):
        some = tasks if len(members) == tasks.members else tasks.take(members)
        drawn = {n: v[members.start : members.stop] for n, v in (noise or {}).items()}
        loss_of = partial(_loss_and_gradients, task_loss, each, per_member, drawn)
        slopes = compile_gradient(loss_of)
        loss, found = slopes(select_replicates(meta.weights, replicates), some)
        for name, grad in found.items():
            # A replicate may span several chunks, so their gradients add up.
            grads[name][replicates.start : replicates.stop] += grad
        losses.append(loss)
    mean = torch.cat(losses).view(tasks.replicates, each).mean(1)
    return Outer(meta.memory, {"lesson_loss": mean}, grads)


def _loss_and_gradients(
    task_loss: TaskLoss,
    each: int,
    per_member: bool,
    noise: Weights,
    rows: Weights,
    batch: EpisodeBatch,
) -> tuple[Tensor, Weights]:
    """Return the members' losses and the gradient of their sum divided by `each`."""
    leaves = {name: row.detach().requires_grad_() for name, row in rows.items()}
    # Members of a replicate share its leaf, so autograd sums over them.
    theta = broadcast_to_members(leaves, batch.members) if per_member else leaves
    loss = task_loss(theta | noise, batch)
    found = torch.autograd.grad(
        loss.sum() / each, [*leaves.values()], allow_unused=True
    )
    pairs = zip(leaves, found, strict=True)
    return loss.detach(), {name: grad for name, grad in pairs if grad is not None}
