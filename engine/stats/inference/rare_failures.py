"""Rare failures: what few replicates may not have seen, and what hangs on one of them.

No test of a mean holds its level against a failure that did not occur: one that hits a
twelfth of all runs is absent from half of all samples of eight, and then the mean
is confidently wrong. So the possible rate is said (none in n bounds it: Hanley and
Lippman-Hand, 1983, JAMA 249(13)), and a mean that one replicate carries is named.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.comparison import improvement_probability, paired_gaps

CARRIED = 0.5  # share of the mean difference that one replicate may bring at most
LOPSIDED = 0.75  # share of tasks won beside a mean that says the opposite


class RareFailures(NamedTuple):
    """What a mean difference over replicates may hide.

    Args:
        unseen: Largest share of runs that a failure may hit and, with a chance of 5 %,
            be in none of these replicates.
        extreme: Number of the replicate whose absence changes the mean most, from 0.
        without: Mean difference without it, in the unit of the values; NaN with one
            replicate.
        carries: Whether this replicate brings over half of the mean difference, or all;
            of note only where the difference was found to be one.
        opposed: Whether one learner is better on three quarters of the tasks and has
            the worse mean.
        improvement: Share of tasks where the first is lower; ties count half.
    """

    unseen: float
    extreme: int
    without: float
    carries: bool
    opposed: bool
    improvement: float


def find_rare_failures(first: Floats, second: Floats) -> RareFailures:
    """Return what a comparison over replicates may not have seen, or hangs on.

    Args:
        first: One number a task; shape (replicate, task), no NaN; less is better.
        second: The other learner's, on the same tasks.

    Returns:
        The warnings, as plain numbers.

    >>> gaps = np.array([[0.1], [0.1], [0.1], [-0.1], [0.0], [0.1], [0.0], [9.0]])
    >>> found = find_rare_failures(gaps, np.zeros((8, 1)))
    >>> found.extreme, found.carries, round(found.unseen, 2)
    (7, True, 0.31)
    """
    means = paired_gaps(first, second).mean(axis=1)
    n, mean = len(means), float(means.mean())
    extreme = int(np.abs(means - mean).argmax())
    without = float(np.delete(means, extreme).mean()) if n > 1 else float("nan")
    share = improvement_probability(first, second)
    # Signed, so that a mean that changes sides without the replicate counts, too.
    carries = n > 1 and without * np.sign(mean) < (1 - CARRIED) * abs(mean)
    wins = share if mean > 0 else 1 - share
    return RareFailures(
        unseen_rate(n), extreme, without, bool(carries), wins > LOPSIDED, share
    )


def unseen_rate(n: int, chance: float = 0.05) -> float:
    """Return the largest rate of a failure that n replicates may all have missed.

    Args:
        n: Replicates, none of which failed.
        chance: That a failure of this rate is in none of them.

    Returns:
        Share of runs from 0 to 1.

    >>> [round(unseen_rate(n), 2) for n in (8, 16, 64)]
    [0.31, 0.17, 0.05]
    """
    return float(1.0 - chance ** (1.0 / n))
