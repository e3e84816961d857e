"""What a learner believes of each target: an equal mixture of normal distributions."""

import math
from statistics import NormalDist
from typing import NamedTuple

import torch
from torch import Tensor

from engine.protocol.meta_types import square_root

HALVINGS = 40  # of the range of a quantile: all digits of a float32, and some more


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

    def central_interval(self, share: float) -> tuple[Tensor, Tensor]:
        """Return the interval that holds this share of the probability, in the middle.

        Args:
            share: Probability inside; as much lies below it as above.

        Returns:
            Its two ends, each of shape (member, example).
        """
        tail = (1.0 - share) / 2.0
        # No component has more than the tail beyond its own quantile.
        reach = NormalDist().inv_cdf(1.0 - tail) * self.sd
        ends = (self.mean - reach).amin(1), (self.mean + reach).amax(1)
        return self._bisect(tail, *ends), self._bisect(1.0 - tail, *ends)

    def _bisect(self, probability: float, low: Tensor, high: Tensor) -> Tensor:
        """Return a quantile of the mixture that lies between two values."""
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            less = self.below(middle) < probability
            low, high = torch.where(less, middle, low), torch.where(less, high, middle)
        return (low + high) / 2.0
