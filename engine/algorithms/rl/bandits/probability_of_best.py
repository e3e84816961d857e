"""How likely each arm is the best one, by quadrature over its posterior."""

import math

import torch
from torch import Tensor

POINTS = 256  # of the quadrature
REACH = 5.0  # standard deviations that a normal posterior is followed to


def best_of_beta(paid: Tensor, unpaid: Tensor) -> Tensor:
    """Return the chance that each arm's probability is the largest.

    Args:
        paid: Successes without the prior's; p ~ Beta(1 + paid, 1 + unpaid); shape
            (…, arm).
        unpaid: Failures; shape (…, arm).

    Returns:
        Shape (…, arm); sums to 1.
    """
    # With p = sin² t all posteriors of as many pulls are about as wide.
    points = torch.arange(POINTS, device=paid.device, dtype=paid.dtype)
    angle = (points + 0.5) * (math.pi / 2 / POINTS)
    # dp = 2 sin t cos t dt: one more half of either count.
    success, failure = 2 * paid.unsqueeze(-1) + 1, 2 * unpaid.unsqueeze(-1) + 1
    log_density = success * angle.sin().log() + failure * angle.cos().log()
    return _best_by_density(log_density)


def best_of_normal(mean: Tensor, deviation: Tensor) -> Tensor:
    """Return the chance that each arm's mean is the largest.

    Args:
        mean: Posterior mean; shape (…, arm).
        deviation: Posterior standard deviation; shape (…, arm).

    Returns:
        Shape (…, arm); sums to 1.
    """
    # The best mean is above every arm's lower end, so nothing below that counts.
    low = (mean - REACH * deviation).amax(-1)[..., None, None]
    high = (mean + REACH * deviation).amax(-1)[..., None, None]
    points = torch.arange(POINTS, device=mean.device, dtype=mean.dtype)
    place = low + (high - low) * (points + 0.5) / POINTS
    score = (place - mean.unsqueeze(-1)) / deviation.unsqueeze(-1)
    below = torch.special.log_ndtr(score)
    density = -0.5 * score.square() - deviation.log().unsqueeze(-1)
    return _best_by_quadrature(density, below)


def _best_by_density(log_density: Tensor) -> Tensor:
    """Return the chances of arms from their densities at equal steps; (…, arm)."""
    density = (log_density - log_density.amax(-1, keepdim=True)).exp()
    density = density / density.sum(-1, keepdim=True)
    # Half of a step's own mass lies below its middle.
    below = density.cumsum(-1) - 0.5 * density
    # A float32 of 0 has no logarithm; so small a chance decides nothing.
    return _best_by_quadrature(density.log(), below.clamp(min=1e-30).log())


def _best_by_quadrature(log_density: Tensor, log_below: Tensor) -> Tensor:
    """Return ∫ density_a ∏_{b ≠ a} P(b below) for each arm a, made to sum to 1.

    Args:
        log_density: Of each arm, up to a shared constant; shape (…, arm, point).
        log_below: Log of each arm's distribution function; shape (…, arm, point).
    """
    others = log_below.sum(-2, keepdim=True) - log_below
    chances = (log_density + others).exp().sum(-1)
    return chances / chances.sum(-1, keepdim=True)
