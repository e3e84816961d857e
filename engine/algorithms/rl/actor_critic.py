"""Actor-critic objectives on played episodes: A2C, and PPO's clipped surrogate.

Source: Mnih et al. (2016), arXiv:1602.01783, algorithm S3 without asynchrony; Schulman
et al. (2016), arXiv:1506.02438, equation 16; Schulman et al. (2017), arXiv:1707.06347,
equations 7 and 9.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.advantages import advantages
from engine.protocol import square_root

TINY = 1e-6  # keeps the division finite where all advantages agree
FAR = 20.0  # bound on a log ratio: no ∞ from exp, and so no ∞ · 0


class Credit(NamedTuple):
    """What each step was worth; shape (group, item).

    Args:
        advantage: Normalized over the group's steps; 0 after an episode's end.
        target: What the value net should have said.
        alive: 1 where a step was taken, 0 after an episode's end.
    """

    advantage: Tensor
    target: Tensor
    alive: Tensor


def assign_credit(
    reward: Tensor, value: Tensor, alive: Tensor, discount: float, trace: float
) -> Credit:
    """Compute advantages and value targets of sequences of steps.

    A sequence is an episode; or a whole trial, for an agent with a memory.

    Args:
        reward: Shape (group, sequence, step), 0 after the end.
        value: What the critic expects before each step; same shape.
        alive: Whether the step was taken; bool, same shape.
        discount: γ.
        trace: λ of generalized advantage estimation.

    Returns:
        Its tensors have shape (group, sequence × step).
    """
    counted = alive.to(reward)
    value = value * counted  # nothing is expected after the end
    gain = advantages(reward, value, discount, trace) * counted
    target = gain + value
    weight = counted.sum((1, 2), keepdim=True).clamp(min=1.0)
    mean = gain.sum((1, 2), keepdim=True) / weight
    centered = (gain - mean) * counted
    spread = square_root(centered.square().sum((1, 2), keepdim=True) / weight)
    normal = centered / (spread + TINY)
    return Credit(normal.flatten(1), target.flatten(1), counted.flatten(1))


def surrogate_loss(
    log_prob: Tensor, old_log_prob: Tensor, credit: Credit, clip: float
) -> Tensor:
    """Return minus PPO's clipped surrogate; at the old policy its gradient is A2C's.

    Args:
        log_prob: Of each action under the present policy; shape (group, item).
        old_log_prob: Under the policy that played, without a graph.
        credit: What each step was worth.
        clip: ε; infinite for A2C.

    Returns:
        Shape (group,).
    """
    ratio = (log_prob - old_log_prob).clamp(-FAR, FAR).exp()
    held = ratio.clamp(1 - clip, 1 + clip)
    gain = torch.minimum(ratio * credit.advantage, held * credit.advantage)
    return -mean_alive(gain, credit.alive)


def mean_alive(x: Tensor, alive: Tensor) -> Tensor:
    """Return the mean over the steps that were taken; shape (group,)."""
    return (x * alive).sum(1) / alive.sum(1).clamp(min=1.0)


def value_loss(value: Tensor, credit: Credit) -> Tensor:
    """Return the squared error of the value net; shape (group,)."""
    return mean_alive((value - credit.target).square(), credit.alive)
