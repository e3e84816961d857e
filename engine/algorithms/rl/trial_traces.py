"""Traces of trials: what each episode came to, counted from 1."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.rl.rollouts import Rollout
from engine.protocol import TraceSegment, TrialBatch


def trial_traces(tasks: TrialBatch, played: Rollout, first: int = 0) -> TraceSegment:
    """Return the traces of consecutive episodes, counted from 1.

    Args:
        tasks: The tasks.
        played: Their episodes; the first one has the number `first`.
        first: Number of the first episode, from 0.

    Returns:
        Shape (member, episode) each; NaN from the first episode on in which a policy
        was not finite.
    """
    count = played.reward.shape[1]
    alive = played.alive.to(played.reward)
    length, optimum = alive.sum(2), tasks.optimum[:, first : first + count]
    rows = {
        "episode_return": played.reward.sum(2),
        "episode_regret": optimum - played.expected.sum(2),
        "episode_length": length,
        "policy_entropy": played.entropy.where(played.alive, 0.0).sum(2) / length,
    }
    if played.best is not None:
        rows["best_action"] = (played.best * alive).sum(2) / length
    lost = rows["policy_entropy"].isnan().cumsum(1) > 0
    rows = {name: row.masked_fill(lost, torch.nan) for name, row in rows.items()}
    steps = tuple(range(first + 1, first + count + 1))
    return TraceSegment(rows, steps=steps)


def segments(tasks: TrialBatch, parts: Iterator[Rollout]) -> Iterator[TraceSegment]:
    """Yield the traces of each part of a trial, as soon as it was played.

    `cells` is the share of the environment's cells that the trial visited so far. Of
    bandits, there is also whether each pull changed the arm.
    """
    first, count = 0, tasks.environment.cells
    visited = tasks.noise.new_zeros(tasks.members, count)
    last = _no_pull(tasks)
    for part in parts:
        found = trial_traces(tasks, part, first)
        if tasks.environment.arm_rewards:
            switches, last = arm_switches(part, last)
            found.traces.update(switches)
        if part.cell is not None:
            share, visited = _visited_share(part, visited)
            lost = found.traces["episode_return"].isnan()
            found.traces["cells"] = share.masked_fill(lost, torch.nan)
        yield found
        first += part.reward.shape[1]


def _visited_share(part: Rollout, visited: Tensor) -> tuple[Tensor, Tensor]:
    """Return the share of cells visited after each episode, and which they are.

    Args:
        part: Episodes, with their cells.
        visited: 1 for each cell visited before; shape (member, cell).
    """
    assert part.cell is not None
    each = visited.new_zeros(*part.cell.shape[:2], visited.shape[1])
    each.scatter_reduce_(2, part.cell, part.alive.to(each), "amax")
    so_far = each.cummax(1).values.maximum(visited.unsqueeze(1))
    return so_far.mean(2), so_far[:, -1]


class Pull(NamedTuple):
    """A pull of each task; shape (member, 1) each, NaN before the first one.

    Args:
        arm: int64.
        reward: What it paid.
    """

    arm: Tensor
    reward: Tensor


def _no_pull(tasks: TrialBatch) -> Pull:
    arm = torch.zeros(tasks.members, 1, dtype=torch.long, device=tasks.noise.device)
    return Pull(arm, torch.full_like(arm, torch.nan, dtype=tasks.noise.dtype))


def arm_switches(part: Rollout, last: Pull) -> tuple[dict[str, Tensor], Pull]:
    """Return whether each pull changed the arm: after a loss, and after a win.

    A pull that pays at most 0 is a loss.

    Args:
        part: Pulls of a bandit: episodes of one step.
        last: The pull before them.

    Returns:
        Shape (member, episode) each, NaN after a pull of the other kind and where there
        was none; and the last pull.
    """
    arm, reward = part.action[:, :, 0], part.reward[:, :, 0]
    before = torch.cat([last.reward, reward[:, :-1]], 1)
    changed = (arm != torch.cat([last.arm, arm[:, :-1]], 1)).to(reward)
    rows = {
        "switch_after_loss": changed.masked_fill(~(before <= 0), torch.nan),
        "switch_after_win": changed.masked_fill(~(before > 0), torch.nan),
    }
    return rows, Pull(arm[:, -1:], reward[:, -1:])
