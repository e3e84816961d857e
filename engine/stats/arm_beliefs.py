"""What a trial tells about the arms of a Bernoulli bandit: the posterior mean of each.

It is what the Bayes optimum believes, whoever pulled the arms.
"""

import numpy as np
from numpy.typing import ArrayLike

from engine.stats.array_types import Floats


def arm_beliefs(pulled: ArrayLike, paid: ArrayLike, arms: int) -> Floats:
    """Return each arm's expected probability under a uniform prior, pull by pull.

    Args:
        pulled: Which arm was pulled; whole numbers from 0, shape (…, pull).
        paid: What it paid, 0 or 1; shape (…, pull).
        arms: Number of arms.

    Returns:
        Shape (…, 1 + pull, arm); the first row is the prior's mean, 1/2.

    >>> arm_beliefs([0, 0, 1], [1, 0, 1], 2).round(2).tolist()
    [[0.5, 0.5], [0.67, 0.5], [0.5, 0.5], [0.5, 0.67]]
    """
    chosen = np.asarray(pulled)[..., None] == np.arange(arms)
    won = chosen * np.asarray(paid, dtype=np.float64)[..., None]
    counts, wins = (
        np.cumsum(each, axis=-2, dtype=np.float64) for each in (chosen, won)
    )
    before = np.zeros((*counts.shape[:-2], 1, arms))
    seen = np.concatenate([before, counts], -2)
    # Beta(1, 1): one success and one failure before the first pull.
    beliefs: Floats = (1 + np.concatenate([before, wins], -2)) / (2 + seen)
    return beliefs
