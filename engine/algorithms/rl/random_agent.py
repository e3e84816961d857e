"""Random actions, and what they lose: the yardstick that goals are measured by."""

import math

import torch
from torch import Tensor

from engine.algorithms.rl.rollouts import Decision, Seen, first_sight, play
from engine.protocol import ActionSpace, TrialBatch, Weights
from engine.protocol.member_chunks import chunks


class RandomAgent:
    """Draws actions uniformly; a continuous one within its bounds."""

    def __init__(self, space: ActionSpace) -> None:
        self.space = space

    def start(self, members: int, lanes: int) -> Weights:
        """Return an empty memory."""
        return {}

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        """Return an action that depends on the noise alone."""
        count, bound = self.space.count, self.space.bound
        if self.space.continuous:
            chance = torch.special.ndtr(noise)
            entropy = torch.full_like(noise[..., 0], count * math.log(2 * bound))
            return Decision(bound * (2 * chance - 1), memory, entropy)
        # A uniform float32 may round up to the count.
        chosen = (noise[..., 0] * count).long().clamp(max=count - 1)
        return Decision(chosen, memory, torch.full_like(noise[..., 0], math.log(count)))


def random_regrets(tasks: TrialBatch) -> Tensor:
    """Return what random actions lose of the optimum, with the trials' own luck.

    Args:
        tasks: The trials.

    Returns:
        Mean regret of an episode of each trial; at least 0; shape (member,).
    """
    agent, lost = RandomAgent(tasks.environment.actions), []
    for members, _ in chunks(tasks):
        some = tasks.take(members)
        sight = first_sight(some, some.horizon)
        played = play(some, agent, {}, sight, range(some.horizon)).rollout
        lost.append((some.optimum - played.expected.sum(2)).mean(1))
    # By luck, few random actions may earn more than the optimum is expected to.
    return torch.cat(lost).clamp(min=0.0)
