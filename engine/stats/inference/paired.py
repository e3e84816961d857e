"""Paired comparison of two learners on the same tasks, with intervals and p-values.

Both saw the same tasks from the same initial weights, so each task gives one
difference. The interval must hold with eight replicates, where the plain nested
bootstrap is too narrow: it underestimates the variance between replicates and uses
normal instead of t quantiles. So the nested bootstrap (replicates outer, each one's
own tasks inner) gives only the shape of the t statistic, and the interval is never
narrower than Student's t over the replicates' mean differences.

No method sees what did not occur: with eight replicates a rare failure may be absent.

Source: Hall (1988), Theoretical comparison of bootstrap confidence intervals,
Annals of Statistics 16(3): the symmetric percentile-t interval.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from engine.contract.rng import Rng
from engine.stats.array_types import Floats, Indices
from engine.stats.inference.intervals import CONFIDENCE, Interval, t_critical

DRAWS = 9999  # with the sample itself 10,000, so that p is a round share
MANY = 128  # tasks; above that the mean of a resample is normal
FEWEST = 5  # replicates; below that there are too few distinct resamples
STEADY = 0.25  # lower bound of a resample's standard error, as a share of the sample's
_CHUNK = 1 << 18  # resampled tasks at a time: a few megabytes
_KEPT = 1 << 21  # resampled tasks that are cached for the next comparison: 16 MiB
_STREAM = Rng(0).child("stats", "nested")


class Difference(NamedTuple):
    """A mean paired difference with its 95 % interval.

    Args:
        mean: Mean of first − second, in the unit of the values.
        low: Lower end of the interval; NaN with one replicate, unless over its tasks.
        high: Upper end, likewise.
        p: Of a difference of 0, two-sided, by the method of the interval.
        improvement: Share of tasks where the first is lower; ties count half.
        n_replicates: Replicates.
        n_tasks: Tasks per replicate.
    """

    mean: float
    low: float
    high: float
    p: float
    improvement: float
    n_replicates: int
    n_tasks: int


def paired_difference(first: Floats, second: Floats) -> Difference:
    """Compare two learners on the same tasks.

    Args:
        first: One number a task; shape (replicate, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        The difference first − second, in the unit of the values.

    Raises:
        ValueError: If shapes differ or a value is NaN: a task that one learner failed
            must not drop out of the comparison.

    >>> same = np.ones((8, 4))
    >>> paired_difference(same, same)[:5]
    (0.0, 0.0, 0.0, 1.0, 0.5)
    """
    gaps = paired_gaps(first, second)
    drawn = draw_nested_means(gaps) if len(gaps) >= FEWEST else None
    half, p = _half_width_and_p(gaps.mean(axis=1), drawn)
    mean = float(gaps.mean(axis=1).mean())
    share = improvement_probability(first, second)
    return Difference(mean, mean - half, mean + half, p, share, *gaps.shape)


def paired_over_tasks(first: Floats, second: Floats) -> Difference:
    """Compare two single trainings over their tasks, as the papers do.

    The interval is about these two trainings and says nothing about other trainings:
    whatever shows it must say so.

    Args:
        first: One number a task; shape (1, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        The difference first − second, with Student's interval over tasks.

    >>> paired_over_tasks(np.array([[1.0, 2.0]]), np.array([[0.0, 1.0]])).mean
    1.0
    """
    gaps = paired_gaps(first, second).T
    half, p = _half_width_and_p(
        gaps[:, 0], draw_nested_means(gaps) if len(gaps) <= MANY else None
    )
    mean, share = float(gaps.mean()), improvement_probability(first, second)
    return Difference(mean, mean - half, mean + half, p, share, *first.shape)


def log_ratio(first: Floats, second: Floats) -> Interval:
    """Return the ratio of two means, with an interval found on the log scale.

    Args:
        first: One positive number a task; shape (replicate, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        mean(first) / mean(second), such as a speed-up of steps.

    >>> log_ratio(np.full((8, 2), 3.0), np.full((8, 2), 2.0)).mean
    1.5
    """
    paired_gaps(first, second)
    both = np.stack([first, second], axis=-1)
    means = both.mean(axis=1)
    center = float(np.log(means[:, 0].mean() / means[:, 1].mean()))
    # Delta method: around its means a log ratio is linear, a mean over replicates.
    parts = _influence(means) + center
    half, _ = _half_width_and_p(parts, _influence_draws(_paired_means(both)))
    mean, low, high = np.exp([center, center - half, center + half]).tolist()
    return Interval(mean, low, high, len(first))


def _paired_means(both: Floats) -> Floats:
    if both.shape[1] > MANY:
        return draw_nested_means(both)
    # One learner after the other, on the same draws: ten times faster than stacked.
    return np.stack([draw_nested_means(both[..., i]) for i in range(2)], axis=-1)


def log_ratio_over_tasks(first: Floats, second: Floats) -> Interval:
    """Return the ratio of two means, with its interval over independent tasks.

    Args:
        first: One positive number a task; shape (1, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        mean(first) / mean(second); `n` counts tasks.

    >>> log_ratio_over_tasks(np.array([[3.0, 5.0]]), np.array([[2.0, 2.0]])).mean
    2.0
    """
    paired_gaps(first, second)
    both = np.stack([first[0], second[0]], axis=-1)[:, None]
    if len(both) <= MANY:
        return log_ratio(both[..., 0], both[..., 1])
    means = both[:, 0]
    center = float(np.log(means[:, 0].mean() / means[:, 1].mean()))
    half, _ = _half_width_and_p(_influence(means) + center, None)
    mean, low, high = np.exp([center, center - half, center + half]).tolist()
    return Interval(mean, low, high, len(both))


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


def draw_nested_means(values: Floats, draws: int = DRAWS) -> Floats:
    """Draw replicates, then tasks within each, and average over the tasks.

    Args:
        values: Shape (replicate, task, …).
        draws: How many resamples.

    Returns:
        Each drawn replicate's mean; shape (draw, replicate, …). The same shape
        gives the same draws, on any machine.
    """
    replicates, tasks = values.shape[:2]
    if tasks > MANY:
        return _draw_normal_means(values, draws)
    flat = np.asarray(values).reshape(replicates * tasks, *values.shape[2:])
    few = replicates * tasks * draws <= _KEPT
    drawn = (_cached_indices if few else _draw_indices)(replicates, tasks, draws)
    return np.concatenate([flat.take(at, axis=0).mean(axis=2) for at in drawn])


def _draw_indices(replicates: int, tasks: int, draws: int) -> Iterator[Indices]:
    """Yield indices into the flattened rows; shape (draw, replicate, task)."""
    key = _STREAM.child(replicates, tasks).key()
    draw = np.random.Generator(np.random.Philox(key=key))
    size = max(1, _CHUNK // (replicates * tasks))
    for first in range(0, draws, size):
        some = min(size, draws - first)
        chosen = draw.integers(0, replicates, (some, replicates, 1))
        yield chosen * tasks + draw.integers(0, tasks, (some, replicates, tasks))


@lru_cache(maxsize=2)
def _cached_indices(replicates: int, tasks: int, draws: int) -> tuple[Indices, ...]:
    """Draw once per shape: the cells of a transfer matrix all have the same one."""
    return tuple(_draw_indices(replicates, tasks, draws))


def _draw_normal_means(values: Floats, draws: int) -> Floats:
    """Draw replicates, and each one's mean from its normal approximation."""
    replicates, tasks = values.shape[:2]
    key = _STREAM.child(replicates, tasks).key()
    draw = np.random.Generator(np.random.Philox(key=key))
    chosen = draw.integers(0, replicates, (draws, replicates))
    means = np.asarray(values.mean(axis=1))
    # Tasks are paired, so noise on both learners must keep their covariance.
    parts = (values - means[:, None]) / tasks
    if values.ndim == 2:
        errors = np.sqrt((parts**2).sum(axis=1))
        noise = draw.standard_normal((draws, replicates))
        return np.asarray(means[chosen] + errors[chosen] * noise)
    shape = (replicates, tasks, -1)
    flat = parts.reshape(shape)
    roots = np.stack([_square_root(rows.T @ rows) for rows in flat])
    noise = draw.standard_normal((draws, replicates, roots.shape[-1]))
    moved = np.einsum("drij,drj->dri", roots[chosen], noise)
    return np.asarray(means[chosen] + moved.reshape(means[chosen].shape))


def _square_root(covariance: Floats) -> Floats:
    """Return a square root of a covariance matrix, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    # Rounding may turn an eigenvalue of 0 negative.
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _half_width_and_p(means: Floats, drawn: Floats | None) -> tuple[float, float]:
    """Return the half-width of the interval and the p-value of a mean of 0.

    Args:
        means: One number a replicate; shape (replicate,).
        drawn: The same of each resample; shape (draw, replicate). None where Student's
            interval is used alone.
    """
    n = len(means)
    if n < 2:
        return float("nan"), float("nan")
    error = float(means.std(ddof=1)) / n**0.5
    center = float(means.mean())
    # Equal differences leave no variance: the mean is exact and t undefined.
    if error == 0.0:
        return 0.0, float(center == 0.0)
    t = abs(center) / error
    critical, p = float(t_critical(np.array(n - 1.0))), _student_p(t, n - 1)
    if drawn is not None and n >= FEWEST:
        # A resample of near-equal replicates would otherwise have a huge t.
        errors = np.maximum(drawn.std(axis=1, ddof=1) / n**0.5, STEADY * error)
        size = np.abs(drawn.mean(axis=1) - center) / errors
        critical = max(critical, float(np.quantile(size, CONFIDENCE)))
        # The sample counts as one of the resamples, so that p is never 0.
        p = max(p, (1 + float((size >= t).sum())) / (1 + len(size)))
    return critical * error, p


def _student_p(t: float, df: int) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(df, -t))


def _influence(means: Floats) -> Floats:
    """Return each replicate's influence on a log ratio; the last axis is the pair."""
    shares = means / means.mean(axis=-2, keepdims=True)
    return np.asarray(shares[..., 0] - shares[..., 1])


def _influence_draws(drawn: Floats) -> Floats:
    totals = drawn.mean(axis=1)
    centers = np.log(totals[:, 0] / totals[:, 1])
    return np.asarray(_influence(drawn) + centers[:, None])


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
