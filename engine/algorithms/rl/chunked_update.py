"""Policies updated some members at a time: that bounds the memory, and changes nothing.

Trials are played side by side, as each step is a few small operations. An update holds
the intermediate values of all steps that it learns from, so many trials at once would
need gigabytes.
"""

from collections.abc import Callable
from dataclasses import fields, replace

import torch

from engine.algorithms.rl.rollouts import Rollout
from engine.protocol import TrialBatch, Weights

STEPS = 20_000  # of all members at once; each holds some kilobytes
# Each member's weights and the episodes that they played → its new weights.
PolicyUpdate = Callable[[Weights, Rollout], Weights]


def update_in_chunks(
    make_update: Callable[[Weights, TrialBatch], PolicyUpdate],
    weights: Weights,
    tasks: TrialBatch,
    steps: int,
) -> PolicyUpdate:
    """Return an update of all members that computes some after the others.

    Args:
        make_update: Weights and tasks of some members → their update, which may keep a
            state from one call to the next.
        weights: At the start of the trial, without a graph; shape (member, …).
        tasks: The tasks.
        steps: Steps that a member's update learns from.
    """
    each = max(1, STEPS // steps)
    chunks = [
        range(first, min(first + each, tasks.members))
        for first in range(0, tasks.members, each)
    ]
    if len(chunks) == 1:
        return make_update(weights, tasks)
    updates = [make_update(take(weights, some), tasks.take(some)) for some in chunks]

    def update(now: Weights, part: Rollout) -> Weights:
        moved = [
            update_some(take(now, some), take_members(part, some))
            for update_some, some in zip(updates, chunks, strict=True)
        ]
        return {name: torch.cat([rows[name] for rows in moved]) for name in now}

    return update


def take(weights: Weights, members: range) -> Weights:
    """Return the weights of consecutive members."""
    return {name: rows[members.start : members.stop] for name, rows in weights.items()}


def take_members(part: Rollout, members: range) -> Rollout:
    """Return the episodes of consecutive members."""
    every = {each.name: getattr(part, each.name) for each in fields(part)}
    some = {
        name: rows[members.start : members.stop]
        for name, rows in every.items()
        if rows is not None
    }
    return replace(part, **some)
