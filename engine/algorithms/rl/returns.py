"""Rewards, advantages and Gaussian densities of policy-gradient estimators.

Pure functions. Where there is an axis of steps, it is the last one.
"""

import math

import torch
from torch import Tensor

from engine.protocol import square_root

TINY = 1e-6  # keeps the division finite for a task whose rollouts agree
ALIKE = 1e-12  # a variance below this is rounding


def rewards(before: Tensor, after: Tensor) -> Tensor:
    """Return the reward of each action: the decrease of the objective it caused.

    Args:
        before: Objective before the action of each step; shape (…, step).
        after: Objective after that action; shape (…, step).

    Returns:
        Rewards, in the objective's unit (nats of log loss); shape (…, step).

    >>> rewards(torch.tensor([2.0, 1.5]), torch.tensor([1.5, 1.75])).tolist()
    [0.5, -0.25]
    """
    return before - after


def normalize_advantages(advantages: Tensor) -> Tensor:
    """Subtract the mean over rollouts and divide by each task's root mean square.

    Otherwise a task with a chaotic loss would dominate the others. Rollouts of one
    task share data and initial weights, so their mean at a step is a baseline for
    that task and step.

    Args:
        advantages: Shape (replicate, rollout, task, step).

    Returns:
        Same shape.
    """
    # With one rollout, the mean is the advantage itself: nothing would be left.
    if advantages.shape[1] > 1:
        advantages = advantages - advantages.mean(1, keepdim=True)
    size = square_root(advantages.square().mean((1, 3), keepdim=True))
    return advantages / size.clamp(min=TINY)


def explained_variance(values: Tensor, returns: Tensor) -> Tensor:
    """Return 1 − Var(return − value) / Var(return).

    Args:
        values: Predictions of the value function; shape (replicate, …).
        returns: The returns; same shape.

    Returns:
        Shape (replicate,); NaN if all returns of a replicate are equal.
    """
    left = (returns - values).flatten(1).var(1, correction=0)
    spread = returns.flatten(1).var(1, correction=0)
    return torch.where(spread > ALIKE, 1 - left / spread, torch.nan)


def log_density(action: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return the log density of a Gaussian action, elementwise.

    Args:
        action: The sampled action, before any bound is applied: bounds belong to the
            environment, not to the policy.
        mean: Mean of the policy; broadcasts to `action`.
        log_std: Log standard deviation; broadcasts to `action`.
    """
    scaled = (action - mean) * (-log_std).exp()
    return -0.5 * scaled.square() - log_std - 0.5 * math.log(2 * math.pi)


def entropy(log_std: Tensor) -> Tensor:
    """Return the entropy of a Gaussian, in nats, elementwise."""
    return log_std + 0.5 * math.log(2 * math.pi * math.e)


def gaussian_kl(old: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor]) -> Tensor:
    """Return KL(old ‖ new) of two Gaussians, elementwise, in nats.

    Args:
        old: Mean and log standard deviation.
        new: The same of the other Gaussian.
    """
    (mean, log_std), (to_mean, to_log_std) = old, new
    spread = (2 * log_std).exp() + (mean - to_mean).square()
    return to_log_std - log_std + 0.5 * spread * (-2 * to_log_std).exp() - 0.5


def discounted_count(steps: int, discount: float) -> float:
    """Return the sum of γᵗ over so many steps: what a reward of 1 at each is worth.

    >>> discounted_count(3, 1.0), discounted_count(2, 0.5)
    (3, 1.5)
    """
    if discount == 1.0:
        return steps
    return (1 - discount**steps) / (1 - discount)
