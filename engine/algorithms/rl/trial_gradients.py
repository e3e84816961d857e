"""Outer gradients over trials, one chunk of members at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.rl.actor_critic import Credit
from engine.algorithms.rl.gradient_agent import (
    RATE,
    PolicyUpdate,
    log_probs,
    play_and_update,
    play_part,
)
from engine.algorithms.rl.rollouts import Rollout
from engine.algorithms.rl.score_surrogates import score_surrogate
from engine.protocol import Meta, Outer, TrialBatch, Weights
from engine.protocol.member_chunks import (
    broadcast_to_members,
    chunks,
    select_replicates,
)

STEPS = 80_000  # at once: bounds the memory of the graph, whatever a trial's length


class TrialLoss(NamedTuple):
    """What one trial says of the meta-weights.

    Args:
        loss: Its gradient is the outer one; shape (member,).
        info: Metrics of the training curve; shape (member,) each.
    """

    loss: Tensor
    info: Weights


class Displacement(NamedTuple):
    """How far a trial moved each weight.

    Args:
        moved: Start less end, by name; shape (member, …).
        info: As of `TrialLoss`.
    """

    moved: Weights
    info: Weights


# Each member's meta-weights and its task → its loss.
LossOfTrial = Callable[[Weights, TrialBatch], TrialLoss]


def trial_gradient(meta: Meta, tasks: TrialBatch, loss: LossOfTrial) -> Outer:
    """Differentiate the mean loss over each replicate's trials.

    Args:
        meta: The meta-learner; weights that the loss does not use get zero.
        tasks: The trials of this meta-step.
        loss: Of each trial.

    Returns:
        Gradients, and the means of the metrics; shape (replicate, …).
    """

    def grads_of(some: TrialBatch, rows: Weights) -> tuple[Weights, Weights]:
        leaves = {name: row.detach().requires_grad_() for name, row in rows.items()}
        # Members of a replicate share its leaf, so autograd sums over them.
        found = loss(broadcast_to_members(leaves, some.members), some)
        grads = torch.autograd.grad(
            found.loss.sum(), [*leaves.values()], materialize_grads=True
        )
        return dict(zip(leaves, grads, strict=True)), found.info

    return _sum_over_chunks(meta, tasks, grads_of)


def trial_displacement(
    meta: Meta,
    tasks: TrialBatch,
    displace: Callable[[Weights, TrialBatch], Displacement],
) -> Outer:
    """Average displacements, in place of a gradient.

    Args:
        meta: The meta-learner.
        tasks: The trials of this meta-step.
        displace: Each member's meta-weights and its task → its displacement.
    """

    def grads_of(some: TrialBatch, rows: Weights) -> tuple[Weights, Weights]:
        found = displace(broadcast_to_members(rows, some.members), some)
        shape = (len(rows[RATE]), -1)
        sums = {n: x.unflatten(0, shape).sum(1) for n, x in found.moved.items()}
        return sums, found.info

    return _sum_over_chunks(meta, tasks, grads_of)


def _sum_over_chunks(
    meta: Meta,
    tasks: TrialBatch,
    grads_of: Callable[[TrialBatch, Weights], tuple[Weights, Weights]],
) -> Outer:
    """Return means over each replicate's tasks of gradients and metrics."""
    each = tasks.members // tasks.replicates
    grads = {name: torch.zeros_like(value) for name, value in meta.weights.items()}
    infos: list[Weights] = []
    limit = max(1, STEPS // (tasks.horizon * tasks.steps))
    for members, replicates in chunks(replace(tasks, chunk=limit)):
        some = tasks if len(members) == tasks.members else tasks.take(members)
        rows = select_replicates(meta.weights, replicates)
        found, info = grads_of(some, rows)
        infos.append(info)
        for name, grad in found.items():
            # A replicate may span several chunks, so their gradients add up.
            grads[name][replicates.start : replicates.stop] += grad.detach() / each
    means = {
        # A task whose returns are all equal explains nothing: it is left out.
        name: torch.cat([info[name].detach() for info in infos])
        .view(-1, each)
        .nanmean(1)
        for name in infos[0]
    }
    return Outer(meta.memory, means, grads)


def judged_policy_loss(
    tasks: TrialBatch,
    theta: Weights,
    parts: Sequence[range],
    update: PolicyUpdate,
    credit: Callable[[Rollout], Credit],
) -> TrialLoss:
    """Return minus the return of the judged episodes, as a surrogate.

    Args:
        tasks: The trials.
        theta: Each member's weights at the start, with a graph; shape (member, …).
        parts: The parts of the trial.
        update: Between parts; its graph decides what flows back.
        credit: What each step of a part was worth.
    """
    first = tasks.horizon - tasks.judged
    loss = tasks.noise.new_zeros(tasks.members)
    played: list[Rollout] = []
    for episodes, (weights, part) in zip(
        parts, play_and_update(tasks, theta, parts, update), strict=True
    ):
        played.append(part)
        share = max(0, episodes.stop - max(first, episodes.start)) / tasks.judged
        if share:
            gain = policy_gain(weights, part, tasks, credit(part))
            loss = loss - share * gain
    return TrialLoss(loss, training_info(played))


def multi_task_loss(
    tasks: TrialBatch, theta: Weights, credit: Callable[[Rollout], Credit]
) -> TrialLoss:
    """Return minus the return of whole trials without an update, as a surrogate.

    Args:
        tasks: The trials.
        theta: Each member's weights, with a graph; shape (member, …).
        credit: What each step was worth.
    """
    part = play_part(tasks, theta, range(tasks.horizon))
    gain = policy_gain(theta, part, tasks, credit(part))
    return TrialLoss(-gain, training_info([part]))


def policy_gain(
    weights: Weights, part: Rollout, tasks: TrialBatch, credit: Credit
) -> Tensor:
    """Return the surrogate whose gradient is the policy gradient; shape (member,)."""
    shape = part.reward.shape
    advantage, alive = credit.advantage.view(shape), credit.alive.view(shape)
    return score_surrogate(
        log_probs(weights, part, tasks), advantage, alive, "curvature"
    )


def training_info(played: Sequence[Rollout]) -> Weights:
    """Return return and entropy of the training trials; shape (member,) each."""
    total = torch.stack([part.reward.sum((1, 2)) for part in played]).sum(0)
    alive = torch.stack([part.alive.sum((1, 2)) for part in played]).sum(0)
    entropies = [part.entropy.where(part.alive, 0.0).sum((1, 2)) for part in played]
    return {"trial_reward": total, "entropy": torch.stack(entropies).sum(0) / alive}
