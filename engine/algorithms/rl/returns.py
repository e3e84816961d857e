"""Returns: what an action was worth, from the rewards that came after it.

Everything is a pure function over tensors whose last axis is the step of a run.
"""

import math

import torch
from torch import Tensor

from engine.protocol import square_root

TINY = 1e-6
ALIKE = 1e-12  # a variance below that is rounding


def rewards(before: Tensor, after: Tensor) -> Tensor:
    """Return the drop of the objective, credited to the action that caused it.

    Args:
        before: Objective that the action at each step saw; shape (…, step).
        after: Objective after that action; shape (…, step).

    >>> rewards(torch.tensor([2.0, 1.5]), torch.tensor([1.5, 1.75])).tolist()
    [0.5, -0.25]
    """
    return before - after


def normalize_advantages(advantages: Tensor) -> Tensor:
    """Put tasks on one scale: less the mean over rollouts, over the root mean square.

    A task whose loss is chaotic would otherwise drown the others. Rollouts of one
    task share data and initial weights, so their mean at a step is a baseline of
    that task and step.

    Args:
        advantages: Shape (replicate, rollout, task, step).
    """
    if advantages.shape[1] > 1:
        advantages = advantages - advantages.mean(1, keepdim=True)
    size = square_root(advantages.square().mean((1, 3), keepdim=True))
    return advantages / size.clamp(min=TINY)


def explained_variance(values: Tensor, returns: Tensor) -> Tensor:
    """Return 1 − Var(return − value) / Var(return); NaN where returns do not differ.

    Args:
        values: What was expected; shape (replicate, …).
        returns: What came; the same shape.
    """
    left = (returns - values).flatten(1).var(1, correction=0)
    spread = returns.flatten(1).var(1, correction=0)
    return torch.where(spread > ALIKE, 1 - left / spread, torch.nan)


def log_density(action: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return the log density of a Gaussian action, elementwise.

    The action is the one that was drawn: what bounds it afterwards belongs to the
    world, not to the policy.
    """
    scaled = (action - mean) * (-log_std).exp()
    return -0.5 * scaled.square() - log_std - 0.5 * math.log(2 * math.pi)


def entropy(log_std: Tensor) -> Tensor:
    """Return the entropy of a Gaussian, in nats, elementwise."""
    return log_std + 0.5 * math.log(2 * math.pi * math.e)


def gaussian_kl(old: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor]) -> Tensor:
    """Return KL(old ‖ new) of Gaussians (mean, log standard deviation), in nats."""
    (mean, log_std), (to_mean, to_log_std) = old, new
    spread = (2 * log_std).exp() + (mean - to_mean).square()
    return to_log_std - log_std + 0.5 * spread * (-2 * to_log_std).exp() - 0.5
