"""A comparison of two learners on the same tasks: interval, p-values and equality.

Interval, p-value and equivalence test are one thing seen from three sides: `p()` is the
smallest level whose interval leaves out 0, `p_equal(margin)` the smallest level whose
interval lies inside ± margin. So a call that follows from the interval at some level
and a call that follows from the p-values at this level are the same.
"""

from dataclasses import dataclass

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.paired import (
    FEWEST,
    MANY,
    STEADY,
    draw_nested_means,
    improvement_probability,
    paired_gaps,
)

FINEST = 1e-3  # below this level too few resamples are left: Student's tail goes on


@dataclass(frozen=True, eq=False)
class Comparison:
    """The mean paired difference first − second, and how certain it is.

    Args:
        mean: In the unit of the values; below 0 the first is lower.
        error: Standard error of the mean over the units; NaN with one unit.
        improvement: Share of tasks where the first is lower; ties count half.
        n_units: Independent units.
        n_replicates: Replicates.
        n_tasks: Tasks per replicate.
        resampled: Sorted sizes of the t statistic of resamples; shape (draw,). Empty
            where Student's t is used alone.
    """

    mean: float
    error: float
    improvement: float
    n_units: int
    n_replicates: int
    n_tasks: int
    resampled: Floats

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the two-sided interval at the level 1 − alpha.

        Args:
            alpha: Chance that the interval misses the mean, such as 0.05.

        Returns:
            Its ends in the unit of the values; NaN with one unit.
        """
        # Equal differences leave no variance: the mean is exact and t undefined.
        half = self._critical(alpha) * self.error if self.error else 0.0
        return self.mean - half, self.mean + half

    def p(self) -> float:
        """Return the p-value of a mean of 0, two-sided; NaN with one unit."""
        return self._p_of_distance(abs(self.mean))

    def p_equal(self, margin: float) -> float:
        """Return the smallest alpha whose interval lies inside ± margin.

        Args:
            margin: Largest difference that does not matter, in the unit of the values.

        Returns:
            1 where the mean itself is outside; NaN with one unit.
        """
        inside = margin - abs(self.mean)
        if np.isfinite(self.error) and inside <= 0:
            return 1.0
        return self._p_of_distance(inside)

    def _p_of_distance(self, distance: float) -> float:
        """Return the smallest alpha whose half-width is below a distance."""
        if not np.isfinite(self.error):
            return float("nan")
        if self.error == 0.0:
            return float(distance == 0.0)
        t, limit = distance / self.error, self._critical(FINEST)
        if t > limit:
            return self._student_p(t * self._student_critical(FINEST) / limit)
        # The sample counts as one of the resamples, so that p is never 0.
        above = len(self.resampled) - np.searchsorted(self.resampled, t)
        share = (1 + above) / (1 + len(self.resampled)) if len(self.resampled) else 0.0
        return max(self._student_p(t), float(share))

    def _critical(self, alpha: float) -> float:
        """Return the half-width of the interval, in standard errors."""
        student = self._student_critical(alpha)
        if not len(self.resampled):
            return student
        if alpha < FINEST:
            fine = self._critical(FINEST) / self._student_critical(FINEST)
            return student * fine
        # As many resamples may lie above as keep their share, with the sample, ≤ alpha.
        above = int(alpha * (1 + len(self.resampled)) + 1e-9) - 1
        at = max(0, len(self.resampled) - 1 - above)
        return max(student, float(self.resampled[at]))

    def _student_critical(self, alpha: float) -> float:
        from scipy.special import stdtrit

        return float(-stdtrit(self.n_units - 1.0, alpha / 2))

    def _student_p(self, t: float) -> float:
        from scipy.special import stdtr

        return float(2 * stdtr(self.n_units - 1.0, -t))


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
    (0.125, 8, 0.0)
    """
    gaps = paired_gaps(first, second)
    return _compare(gaps, improvement_probability(first, second), gaps.shape)


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
    return _compare(gaps.reshape(-1, 1), share, gaps.shape)


def _compare(gaps: Floats, improvement: float, shape: tuple[int, ...]) -> Comparison:
    means = gaps.mean(axis=1)
    n = len(means)
    error = float(means.std(ddof=1)) / n**0.5 if n > 1 else float("nan")
    sizes = np.empty(0)
    if n >= FEWEST and error > 0 and not (gaps.shape[1] == 1 and n > MANY):
        drawn = draw_nested_means(gaps)
        # A resample of near-equal units would otherwise have a huge t.
        errors = np.maximum(drawn.std(axis=1, ddof=1) / n**0.5, STEADY * error)
        sizes = np.sort(np.abs(drawn.mean(axis=1) - means.mean()) / errors)
    return Comparison(
        float(means.mean()), error, improvement, n, shape[0], shape[1], sizes
    )
