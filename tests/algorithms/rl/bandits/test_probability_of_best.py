"""How likely an arm is the best one equals adaptive integration of its definition."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import beta, norm

from engine.algorithms.rl.bandits.probability_of_best import (
    best_of_beta,
    best_of_normal,
)


def integrated(arms: list[Any], low: float, high: float) -> list[float]:
    """Return ∫ density_a ∏_{b ≠ a} P(b < x) dx for each frozen distribution."""

    def weight(x: float, arm: int) -> float:
        others = (other.cdf(x) for i, other in enumerate(arms) if i != arm)
        return float(arms[arm].pdf(x) * np.prod(list(others)))

    ends = sorted(arm.mean() for arm in arms)
    return [
        quad(weight, low, high, args=(arm,), points=ends)[0] for arm in range(len(arms))
    ]


@pytest.mark.parametrize(
    "counts",
    [[(0, 0), (0, 0)], [(3, 1), (0, 0), (2, 5)], [(60, 30), (20, 11), (1, 0)]],
)
def test_arms_that_pay_0_or_1(counts: list[tuple[int, int]]) -> None:
    truth = integrated([beta(1 + s, 1 + f) for s, f in counts], 0.0, 1.0)
    paid, unpaid = torch.tensor(counts, dtype=torch.float32).T
    found = best_of_beta(paid, unpaid).numpy()
    np.testing.assert_allclose(found, truth, atol=1e-4)


@pytest.mark.parametrize(
    "arms",
    [
        [(0.0, 1.0), (0.0, 1.0)],
        [(0.5, 0.3), (0.0, 1.0), (0.6, 0.2)],
        [(1, 0.1), (2, 1)],
    ],
)
def test_gaussian_arms(arms: list[tuple[float, float]]) -> None:
    truth = integrated([norm(mean, sd) for mean, sd in arms], -6.0, 8.0)
    mean, deviation = torch.tensor(arms, dtype=torch.float32).T
    found = best_of_normal(mean, deviation).numpy()
    np.testing.assert_allclose(found, truth, atol=1e-4)
