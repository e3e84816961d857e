"""What a wrong spread costs: likelihood and coverage of a normal prediction, exactly.

The targets are normal with spread 1 around the prediction; the learner claims another
spread. Both measures then have a closed form.
"""

import math
from statistics import NormalDist

import numpy as np

from app.figures.figure_types import Floats

_STANDARD = NormalDist()


def expected_nll(claimed: Floats) -> Floats:
    """Return the expected negative log-likelihood, nats.

    Args:
        claimed: Claimed spread divided by the true one.
    """
    values: Floats = 0.5 * math.log(2 * math.pi) + np.log(claimed) + 0.5 / claimed**2
    return values


def coverage(claimed: float, levels: Floats) -> Floats:
    """Return how often central intervals hold the target.

    Args:
        claimed: Claimed spread divided by the true one.
        levels: Claimed probabilities of the intervals, between 0 and 1.
    """
    edges = [claimed * _STANDARD.inv_cdf(0.5 + level / 2) for level in levels]
    return np.array([2 * _STANDARD.cdf(edge) - 1 for edge in edges])


def calibration_error(claimed: float) -> float:
    """Return the mean distance of claim and coverage at 10 %, 20 %, …, 90 %."""
    levels = np.linspace(0.1, 0.9, 9)
    return float(np.abs(coverage(claimed, levels) - levels).mean())
