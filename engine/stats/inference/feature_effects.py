"""Effects of binary features on a number, and on the chance of a failure.

Source: Welch (1947), Biometrika 34(1–2), for means of two groups; Katz et al. (1978),
Biometrics 34(3), for the ratio of two shares; Fisher's exact test for its p-value.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Bools, Floats
from engine.stats.inference.intervals import t_critical

_CORNER = 0.5  # Haldane–Anscombe correction: a ratio with a count of 0 stays finite


class FeatureEffects(NamedTuple):
    """Mean with each feature minus mean without it; arrays (feature,).

    Args:
        mean: The difference, in the unit of the values.
        low: Lower end of its 95 % interval; NaN with fewer than two rows on a side.
        high: Upper end, likewise.
        p: Two-sided, not corrected; NaN likewise.
        n: Rows with the feature.
        rest: Rows without it.
    """

    mean: Floats
    low: Floats
    high: Floats
    p: Floats
    n: Floats
    rest: Floats


class FailureRatios(NamedTuple):
    """How common each feature is among failures and among the rest; arrays (feature,).

    Args:
        share: Share of failures that have the feature.
        elsewhere: Share of the other rows that have it.
        ratio: The first over the second, with 0.5 added to each count.
        low: Lower end of the ratio's 95 % interval.
        high: Upper end.
        p: One-sided Fisher test: at least as many failures with the feature by chance.
    """

    share: Floats
    elsewhere: Floats
    ratio: Floats
    low: Floats
    high: Floats
    p: Floats


def feature_effects(there: Bools, values: Floats) -> FeatureEffects:
    """Compare the means with and without each feature, by Welch's t.

    Args:
        there: Whether each row has each feature; shape (feature, row).
        values: Finite numbers; shape (row,).

    Returns:
        The differences in the unit of the values; shape (feature,).

    >>> found = feature_effects(np.array([[True, True, False, False]]),
    ...     np.array([4., 2, 1, 1]))
    >>> float(found.mean[0]), float(found.n[0])
    (2.0, 2.0)
    """
    first = _moments(there.astype(np.float64), values)
    second = _moments((~there).astype(np.float64), values)
    mean = first[1] - second[1]
    parts = first[2] / first[0], second[2] / second[0]
    error = np.sqrt(parts[0] + parts[1])
    # Welch–Satterthwaite degrees of freedom; a side of one row gives NaN.
    with np.errstate(divide="ignore", invalid="ignore"):
        df = (parts[0] + parts[1]) ** 2 / (
            parts[0] ** 2 / (first[0] - 1) + parts[1] ** 2 / (second[0] - 1)
        )
    # Without any variance the formula is 0/0: fall back to the pooled df.
    df = np.where(error == 0, first[0] + second[0] - 2, df)
    half = t_critical(df) * error
    p = _two_sided_p(mean, error, df)
    return FeatureEffects(mean, mean - half, mean + half, p, first[0], second[0])


def interaction_effects(one: Bools, two: Bools, values: Floats) -> FeatureEffects:
    """Return the interaction of two features: their joint effect beyond the sum.

    Args:
        one: Shape (feature, row).
        two: Shape (feature, row); row by row with `one`.
        values: Finite numbers; shape (row,).

    Returns:
        Mean with both, minus the means with only one, plus the mean with neither;
        `n` counts the rows with both, `rest` all others.
    """
    cells = [one & two, one & ~two, ~one & two, ~one & ~two]
    found = [_moments(cell.astype(np.float64), values) for cell in cells]
    signs = (1.0, -1.0, -1.0, 1.0)
    mean = sum(sign * each[1] for sign, each in zip(signs, found, strict=True))
    parts = [each[2] / each[0] for each in found]
    total = np.sum(parts, axis=0)
    error = np.sqrt(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = [q**2 / (e[0] - 1) for q, e in zip(parts, found, strict=True)]
        df = total**2 / np.sum(lost, axis=0)
    df = np.where(error == 0, sum(each[0] for each in found) - 4, df)
    half = t_critical(df) * error
    mean = np.asarray(mean, np.float64)
    p = _two_sided_p(mean, error, df)
    rest = np.sum([each[0] for each in found[1:]], axis=0)
    return FeatureEffects(mean, mean - half, mean + half, p, found[0][0], rest)


def failure_ratios(there: Bools, failed: Bools) -> FailureRatios:
    """Compare how common each feature is among failures and elsewhere.

    Args:
        there: Whether each row has each feature; shape (feature, row).
        failed: Which rows are failures; shape (row,).

    Returns:
        Shares and ratios; shape (feature,). Without failures, or with nothing but
        failures, `p` is NaN.

    >>> found = failure_ratios(np.array([[True, True, False, False]]),
    ...                np.array([True, False, False, False]))
    >>> float(found.share[0]), round(float(found.p[0]), 2)
    (1.0, 0.5)
    """
    from scipy.stats import hypergeom

    bad, rows = int(failed.sum()), len(failed)
    mine = (there & failed).sum(1).astype(np.float64)
    others = (there & ~failed).sum(1).astype(np.float64)
    share, elsewhere = mine / max(bad, 1), others / max(rows - bad, 1)
    a, b = mine + _CORNER, others + _CORNER
    wide, tall = bad + 2 * _CORNER, rows - bad + 2 * _CORNER
    ratio = (a / wide) / (b / tall)
    error = np.sqrt(1 / a - 1 / wide + 1 / b - 1 / tall)
    half = 1.959963984540054 * error  # the normal 97.5 % quantile
    p = hypergeom.sf(mine - 1, rows, bad, (mine + others).astype(np.int64))
    if not 0 < bad < rows:
        p = np.full(len(mine), np.nan)
    low, high = ratio * np.exp(-half), ratio * np.exp(half)
    return FailureRatios(share, elsewhere, ratio, low, high, np.asarray(p, np.float64))


def _moments(there: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return count, mean and variance of the rows with each feature."""
    n = there.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (there @ values) / n
        # Around the mean of all: squares of large numbers would swallow the rest.
        center = float(values.mean()) if len(values) else 0.0
        square = (there @ (values - center) ** 2) / n - (mean - center) ** 2
        variance = np.where(n > 1, np.maximum(square, 0.0) * n / (n - 1), np.nan)
    return np.where(n > 0, n, np.nan), mean, variance


def _two_sided_p(mean: Floats, error: Floats, df: Floats) -> Floats:
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(mean) / error
    t = np.where((error == 0) & (mean == 0), 0.0, t)
    return np.asarray(2.0 * stdtr(df, -t), np.float64)
