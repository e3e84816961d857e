"""The mean of a few independent units that may be skewed: interval and p-value.

Student's t rejects a true mean of skewed numbers far too often (up to 18 % instead of
5 %; see the table in `tests/benchmarks/verdict_levels.py`). Hall's transformation

    T(t) = ((1 + b t)³ − 1) / 3b + b / 2,    b = skewness / (3 √n),

removes the skewness of t and is monotone, so it can be inverted: the interval follows
in closed form at any level. A mean is called different only where both Student's t and
T say so. Two changes to Hall's rule come from the simulations in the benchmark: the
skewness of a few numbers understates that of their law and is taken 2.5-fold, and T
never gets flatter than a half, or no evidence would suffice on one side.

Source: Hall (1992), On the removal of skewness by transformation, JRSS B 54(1);
Johnson (1978), JASA 73(363), on the t of skewed numbers.
Differs: skewness × 2.5; slope ≥ 1/2; Student's critical value, not the normal one.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats

SKEWNESS_FACTOR = 2.5
LEAST_SLOPE = 0.5


class SkewedMean(NamedTuple):
    """A mean over independent units.

    Args:
        mean: In the unit of the values.
        error: Its standard error; NaN with one unit.
        bend: b of the transformation; 0 without skewness or with fewer than 3 units.
        n: Units.
    """

    mean: float
    error: float
    bend: float
    n: int

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the two-sided interval at the level 1 − alpha.

        Args:
            alpha: Chance that the interval misses the mean, such as 0.05.

        Returns:
            Its ends in the unit of the values; NaN with one unit, or with too few
            equal ones.
        """
        from scipy.special import stdtrit

        if self.error == 0.0:
            end = self.mean if alpha >= self._p_of_equal_units() else float("nan")
            return end, end
        critical = float(-stdtrit(self.n - 1.0, alpha / 2))
        ends = _untransform(np.array([critical, -critical]), self.bend)
        below = max(critical, float(ends[0])) * self.error
        above = min(-critical, float(ends[1])) * self.error
        return self.mean - below, self.mean - above

    def p(self, at: float = 0.0) -> float:
        """Return the smallest alpha whose interval leaves out a value.

        Args:
            at: The mean under the null hypothesis, in the unit of the values.

        Returns:
            The two-sided p-value; NaN with one unit.
        """
        if self.error == 0.0:
            return 1.0 if self.mean == at else self._p_of_equal_units()
        t = np.array((self.mean - at) / self.error)
        return float(_p_of_t(t, np.array(self.bend), self.n))

    def _p_of_equal_units(self) -> float:
        """Return the p-value of a sign-flip test of equal units; 0 if all are 0.

        They leave no variance and t undefined; but counts and shares of a few tasks are
        often equal by chance, and signs as good as a coin agree in 2 of 2^n cases.
        """
        return float(2.0 ** (1 - self.n)) if self.mean else 0.0


def estimate_mean(values: Floats) -> SkewedMean:
    """Return the mean of independent units with what its interval needs.

    Args:
        values: One number a unit; shape (unit,), finite.

    Returns:
        Mean and error in the unit of the values.

    >>> found = estimate_mean(np.arange(8.0))
    >>> found.mean, found.n, round(found.p(), 3)
    (3.5, 8, 0.005)
    """
    n = len(values)
    if n < 2:
        return SkewedMean(float(values.mean()), float("nan"), 0.0, n)
    if values.min() == values.max():  # rounding in the mean would feign a spread
        return SkewedMean(float(values[0]), 0.0, 0.0, n)
    error, bend = _errors_and_bends(values)
    return SkewedMean(float(values.mean()), float(error), float(bend), n)


def p_values_of_means(values: Floats) -> Floats:
    """Return the p-values of many means of 0 at once, as a simulation needs them.

    Args:
        values: Shape (…, unit), at least 2 units, not all equal.

    Returns:
        Two-sided; shape (…).

    >>> p_values_of_means(np.array([[1.0, 2.0, 4.0]])).round(3).tolist()
    [0.118]
    """
    errors, bends = _errors_and_bends(values)
    return _p_of_t(values.mean(-1) / errors, bends, values.shape[-1])


def _errors_and_bends(values: Floats) -> tuple[Floats, Floats]:
    """Return the standard errors and b of the transformation; shape (…)."""
    n = values.shape[-1]
    apart = values - values.mean(-1, keepdims=True)
    sd = np.sqrt((apart**2).sum(-1) / (n - 1))
    if n < 3:
        return sd / n**0.5, np.zeros(sd.shape)
    # Equal values have no skewness: 0/0 there.
    scaled = apart / np.where(sd > 0, sd, 1.0)[..., None]
    skewness = (scaled**3).sum(-1) * n / ((n - 1) * (n - 2))
    return sd / n**0.5, SKEWNESS_FACTOR * skewness / (3 * n**0.5)


def _p_of_t(t: Floats, bend: Floats, n: int) -> Floats:
    from scipy.special import stdtr

    # On the far side of 0 the transformed t says nothing against the null: size 0.
    same_side = np.maximum(np.sign(t) * _transform(t, bend), 0.0)
    size = np.minimum(np.abs(t), same_side)
    return np.asarray(2.0 * stdtr(n - 1.0, -size), np.float64)


def _transform(t: Floats, bend: Floats) -> Floats:
    """Return T(t), straight where it would be flatter than the least slope."""
    b, edge = _steady(bend), LEAST_SLOPE**0.5 - 1
    inside = np.maximum(b * t, edge)
    straight = LEAST_SLOPE * (b * t - inside)
    return np.asarray(((1 + inside) ** 3 - 1) / (3 * b) + straight / b + b / 2)


def _untransform(size: Floats, bend: float) -> Floats:
    """Return the t whose T(t) is given."""
    b, edge = _steady(np.array(bend)), LEAST_SLOPE**0.5 - 1
    inside = 3 * b * (size - b / 2)
    border = (1 + edge) ** 3 - 1
    bent = np.cbrt(1 + np.maximum(inside, border)) - 1
    straight = np.minimum(inside - border, 0.0) / (3 * LEAST_SLOPE)
    return np.asarray((bent + straight) / b)


def _steady(bend: Floats) -> Floats:
    """Return b, or a b too small to matter instead of 0: T is a limit there."""
    return np.where(np.abs(bend) < 1e-7, 1e-7, bend)
