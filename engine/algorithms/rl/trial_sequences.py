"""Trials as sequences of steps: what an agent with a memory is trained on."""

from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.rl.rollouts import Rollout, Seen, clip_action, encode
from engine.protocol import TrialBatch


class TrialSequence(NamedTuple):
    """Whole trials, without the steps after an episode's early end.

    The steps that were taken come first, so discounts and memories pass from an
    episode's last step to the first of the next. Trials of one replicate form a group.

    Args:
        inputs: What the agent saw; shape (step, group, number, trial).
        action: What it did; shape (group, trial, step), or with an axis of dimensions.
        reward: Shape (group, trial, step), 0 after the last step.
        alive: Whether there was a step; bool, same shape.
    """

    inputs: Tensor
    action: Tensor
    reward: Tensor
    alive: Tensor

    def part(self, trials: slice) -> "TrialSequence":
        """Return some trials of every group."""
        inputs = self.inputs[..., trials]
        return TrialSequence(inputs, *(x[:, trials] for x in self[1:]))


def input_size(tasks: TrialBatch) -> int:
    """Return how many numbers an agent sees: observation, action, reward, end."""
    return tasks.environment.observation + tasks.environment.actions.count + 2


def join_seen(seen: Seen) -> Tensor:
    """Return what an agent sees as one vector; shape (member, lane, number)."""
    rest = torch.stack([seen.reward, seen.ended], -1)
    return torch.cat([seen.observation, seen.action, rest], -1)


def make_sequence(tasks: TrialBatch, played: Rollout, groups: int) -> TrialSequence:
    """Return the sequence of each trial's steps.

    Args:
        tasks: The tasks.
        played: Their whole trials.
        groups: How many groups of members share weights.
    """
    count = played.reward.shape[1]
    number = torch.arange(count, device=played.reward.device).view(1, -1, 1)
    columns = [
        played.observation,
        played.action,
        played.reward,
        played.alive,
        number.expand_as(played.alive),
    ]
    observation, action, reward, alive, episode = _steps_taken(columns, played.alive)
    sent = encode(tasks, clip_action(tasks.environment.actions, action))
    before = _shift(torch.cat([sent, reward.unsqueeze(-1)], -1))
    # An episode ended before each step whose number is not that of the step before.
    ended = (episode != torch.cat([episode[:, :1], episode[:, :-1]], 1)).to(reward)
    x = torch.cat([observation, before, ended.unsqueeze(-1)], -1)
    grouped = x.unflatten(0, (groups, -1)).permute(2, 0, 3, 1)
    rest = (each.unflatten(0, (groups, -1)) for each in (action, reward, alive))
    return TrialSequence(grouped.contiguous(), *rest)


def _steps_taken(columns: list[Tensor], alive: Tensor) -> list[Tensor]:
    """Return columns by step of the trial, those that were taken first.

    Args:
        columns: Shape (member, episode, step, …).
        alive: Whether each step was taken; shape (member, episode, step).

    Returns:
        Shape (member, step, …).
    """
    flat = [column.flatten(1, 2) for column in columns]
    if bool(alive.all()):
        return flat
    # Stable: the steps keep their order.
    order = (~alive).flatten(1).sort(stable=True, dim=1).indices
    row = torch.arange(len(order), device=order.device).unsqueeze(1)
    return [column[row, order] for column in flat]


def _shift(x: Tensor) -> Tensor:
    """Return what came one step earlier, 0 at the first; shape (member, step, …)."""
    return torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
