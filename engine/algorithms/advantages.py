"""Advantages: how much better an action was than what was expected."""

import torch
from torch import Tensor


def advantages(
    rewards: Tensor, values: Tensor, discount: float, trace: float
) -> Tensor:
    """Return generalized advantage estimates of runs that end after the last step.

    Source: Schulman et al. (2016), arXiv:1506.02438, equation 16.

    Args:
        rewards: Shape (…, step).
        values: What the critic expects from each step on; shape (…, step).
        discount: γ, what a reward one step later counts.
        trace: λ, from 0 (trust the critic) to 1 (trust the rewards).
    """
    following = torch.cat([values[..., 1:], torch.zeros_like(values[..., :1])], -1)
    errors = rewards + discount * following - values
    found, running = [], torch.zeros_like(errors[..., 0])
    for error in reversed(errors.unbind(-1)):
        running = error + discount * trace * running
        found.append(running)
    return torch.stack(found[::-1], -1)
