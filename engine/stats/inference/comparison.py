"""A comparison of two learners on the same tasks: interval, p-values and equality.

Interval, p-value and equivalence test are one thing seen from three sides: `p()` is the
smallest level whose interval leaves out 0, `p_equal(margin)` the smallest level whose
interval lies inside ± margin. So a call that follows from the interval at some level
and a call that follows from the p-values at this level are the same.

No method sees what did not occur: with eight replicates a rare failure may be absent
(`rare_failures`).
"""

from dataclasses import dataclass

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.intervals import CONFIDENCE, Interval
from engine.stats.inference.skewed_mean import SkewedMean, estimate_mean


@dataclass(frozen=True)
class Comparison:
    """The mean paired difference first − second, and how certain it is.

    Args:
        estimate: The mean over the independent units, in the unit of the values; below
            0 the first is lower.
        improvement: Share of tasks where the first is lower; ties count half.
        n_replicates: Replicates.
        n_tasks: Tasks per replicate.
    """

    estimate: SkewedMean
    improvement: float
    n_replicates: int
    n_tasks: int

    @property
    def mean(self) -> float:
        """The mean difference, in the unit of the values."""
        return self.estimate.mean

    @property
    def error(self) -> float:
        """The standard error of the mean; NaN with one unit."""
        return self.estimate.error

    @property
    def n_units(self) -> int:
        """The number of independent units."""
        return self.estimate.n

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the two-sided interval at the level 1 − alpha.

        Args:
            alpha: Chance that the interval misses the mean, such as 0.05.

        Returns:
            Its ends in the unit of the values; NaN with one unit.
        """
        return self.estimate.interval(alpha)

    def mean_with_interval(self, alpha: float = 1 - CONFIDENCE) -> Interval:
        """Return the mean with its interval.

        Args:
            alpha: Chance that the interval misses the mean.

        Returns:
            In the unit of the values; `n` counts the units.
        """
        return Interval(self.mean, *self.interval(alpha), self.n_units)

    def p(self) -> float:
        """Return the p-value of a mean of 0, two-sided; NaN with one unit."""
        return self.estimate.p()

    def p_equal(self, margin: float) -> float:
        """Return the smallest alpha whose interval lies inside ± margin.

        Args:
            margin: Largest difference that does not matter, in the unit of the values.

        Returns:
            1 where the mean itself is not inside; NaN with one unit.
        """
        if self.n_units > 1 and not abs(self.mean) < margin:
            return 1.0
        return max(self.estimate.p(margin), self.estimate.p(-margin))


def compare_over_replicates(first: Floats, second: Floats) -> Comparison:
    """Compare two learners; each replicate's mean difference is one unit.

    Args:
        first: One number a task; shape (replicate, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        The comparison first − second.

    Raises:
        ValueError: If shapes differ or a value is NaN: a task that one learner failed
            must not drop out of the comparison.

    >>> found = compare_over_replicates(np.eye(8), np.zeros((8, 8)))
    >>> found.mean, found.n_units, found.p()
    (0.125, 8, 0.0078125)
    """
    gaps = paired_gaps(first, second)
    share = improvement_probability(first, second)
    return Comparison(estimate_mean(gaps.mean(axis=1)), share, *gaps.shape)


def compare_over_tasks(first: Floats, second: Floats) -> Comparison:
    """Compare two learners; each task of each replicate is one unit.

    For learners whose tasks are independent, or for two single trainings: then the
    comparison is about these two trainings, and whatever shows it must say so.

    Args:
        first: One number a task; shape (replicate, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        The comparison first − second.

    >>> compare_over_tasks(np.ones((2, 3)), np.zeros((2, 3))).n_units
    6
    """
    gaps = paired_gaps(first, second)
    share = improvement_probability(first, second)
    return Comparison(estimate_mean(gaps.ravel()), share, *gaps.shape)


def improvement_probability(first: Floats, second: Floats) -> float:
    """Return how often the first is lower than the second; ties count half.

    Args:
        first: Any shape.
        second: The same shape.

    Returns:
        Share from 0 to 1.

    >>> improvement_probability(np.array([1.0, 2.0]), np.array([2.0, 2.0]))
    0.75
    """
    wins = (first < second) + 0.5 * (first == second)
    return float(np.mean(wins))


def paired_gaps(first: Floats, second: Floats) -> Floats:
    """Return first − second, and refuse what cannot be paired.

    Args:
        first: One number a task; any shape, no NaN.
        second: The other learner's, on the same tasks.

    Raises:
        ValueError: If shapes differ or a difference is not finite.
    """
    if first.shape != second.shape:
        raise ValueError(f"shapes {first.shape} and {second.shape} cannot be paired")
    gaps = np.asarray(first, dtype=np.float64) - second
    if not np.isfinite(gaps).all():
        raise ValueError("a pair has a NaN; give failed tasks their worst value")
    return gaps
