"""Densities against scipy's normal distribution."""

import numpy as np
import torch
from scipy.stats import norm

from engine.protocol import Density

Y = torch.tensor([[0.3, -2.0]], dtype=torch.float64)
MEAN = torch.tensor([[[0.0, 1.0], [0.5, -3.0]]], dtype=torch.float64)
SD = torch.tensor([[[1.0, 0.1], [2.0, 0.7]]], dtype=torch.float64)


def test_log_density_and_probability_are_those_of_the_mixture() -> None:
    parts = norm(MEAN[0].numpy(), SD[0].numpy())
    density = Density(MEAN, SD)
    wanted = np.log(parts.pdf(Y.numpy()).mean(0))
    np.testing.assert_allclose(density.log_density(Y)[0].numpy(), wanted, rtol=1e-12)
    below = parts.cdf(Y.numpy()).mean(0)
    np.testing.assert_allclose(density.below(Y)[0].numpy(), below, rtol=1e-12)


def test_moments_are_those_of_many_draws() -> None:
    draw = np.random.default_rng(0)
    which = draw.integers(0, 2, 400_000)
    drawn = draw.normal(MEAN[0, which, 0].numpy(), SD[0, which, 0].numpy())
    mean, sd = Density(MEAN, SD).moments()
    assert abs(mean[0, 0].item() - drawn.mean()) < 0.02
    assert abs(sd[0, 0].item() - drawn.std()) < 0.02


def test_the_central_interval_holds_its_share_of_the_mixture() -> None:
    low, high = Density(MEAN, SD).central_interval(0.9)
    parts = norm(MEAN[0].numpy(), SD[0].numpy())
    for end, share in ((low, 0.05), (high, 0.95)):
        np.testing.assert_allclose(parts.cdf(end.numpy()).mean(0), share, atol=1e-9)
