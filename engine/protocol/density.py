"""What a learner believes of each target: an equal mixture of normal distributions."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from engine.protocol.meta_types import square_root


class Density(NamedTuple):
    """A predictive density of each target, the noise of the targets included.

    One component is a normal distribution; the samples or particles of a Bayesian
    learner are one component each, and its means are drawn as sampled functions.

    Args:
        mean: Means; shape (member, component, example).
        sd: Standard deviations, above 0; the same shape.
    """

    mean: Tensor
    sd: Tensor

    def log_density(self, y: Tensor) -> Tensor:
        """Return the log density at the targets.

        Args:
            y: Targets; shape (member, example).

        Returns:
            Nats; shape (member, example).
        """
        z = (y.unsqueeze(1) - self.mean) / self.sd
        each = -0.5 * z.square() - self.sd.log() - 0.5 * math.log(2.0 * math.pi)
        return each.logsumexp(1) - math.log(self.mean.shape[1])

    def below(self, y: Tensor) -> Tensor:
        """Return the probability of a value below the targets.

        Over tasks it is uniform where the density is calibrated (probability integral
        transform: Dawid, 1984).

        Args:
            y: Targets; shape (member, example).

        Returns:
            0 to 1; shape (member, example).
        """
        z = (y.unsqueeze(1) - self.mean) / self.sd
        return torch.special.ndtr(z).mean(1)

    def moments(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of the mixture; each (member, example)."""
        mean = self.mean.mean(1)
        spread = (self.mean - mean.unsqueeze(1)).square().mean(1)
        return mean, square_root(self.sd.square().mean(1) + spread)
