"""Beliefs about arms are Beta posteriors, counted pull by pull."""

import numpy as np
from scipy.stats import beta

from engine.stats.arm_beliefs import arm_beliefs


def test_beliefs_are_means_of_beta_posteriors() -> None:
    draws = np.random.default_rng(0)
    pulled, paid = draws.integers(0, 3, (2, 7)), draws.integers(0, 2, (2, 7))
    found = arm_beliefs(pulled, paid, 3)
    assert found.shape == (2, 8, 3)
    for trial in range(2):
        for pull in range(8):
            for arm in range(3):
                mine = paid[trial, :pull][pulled[trial, :pull] == arm]
                truth = beta(1 + mine.sum(), 1 + len(mine) - mine.sum()).mean()
                assert abs(found[trial, pull, arm] - truth) < 1e-12
