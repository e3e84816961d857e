"""Two learners on the same tasks: the difference, and how sure it is.

Both saw the same tasks from the same initial weights, so each task gives one
difference. The interval must hold with eight replicates, where the plain nested
bootstrap is too narrow: it draws replicates too alike and takes normal for t. So
the nested bootstrap (replicates outer, each one's own tasks inner) is used for
what it is good at, the shape of the t statistic, and the interval is never
narrower than Student's t over the replicates' mean differences.

What no method sees is what did not happen: a failure that strikes one replicate
in a dozen is absent from every third set of eight.

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

DRAWS = 9999
MANY = 128  # tasks; above that the mean of a resample is normal
FEWEST = 5  # replicates; below that a bootstrap has too few to draw from
STEADY = 0.25  # a resample's standard error counts as at least this share of ours
_CHUNK = 1 << 18  # resampled tasks at a time: a few megabytes
_KEPT = 1 << 21  # resampled tasks that are kept for the next comparison: 16 MiB
_STREAM = Rng(0).child("stats", "nested")


class Difference(NamedTuple):
    """A mean paired difference with its 95 % interval.

    `p` tests a difference of 0 (two-sided, same method as the interval); it and
    the interval are NaN with one replicate, unless they are over its tasks.
    `improvement` is the share of tasks where the first is lower, ties counted half.
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
        The difference first − second.

    Raises:
        ValueError: If shapes differ or a number is missing: a task that one of
            them failed must not drop out of the comparison.

    >>> same = np.ones((8, 4))
    >>> paired_difference(same, same)[:5]
    (0.0, 0.0, 0.0, 1.0, 0.5)
    """
    gaps = _paired_gaps(first, second)
    drawn = draw_nested_means(gaps) if len(gaps) >= FEWEST else None
    half, p = _half_width_and_p(gaps.mean(axis=1), drawn)
    mean = float(gaps.mean(axis=1).mean())
    share = improvement_probability(first, second)
    return Difference(mean, mean - half, mean + half, p, share, *gaps.shape)


def paired_over_tasks(first: Floats, second: Floats) -> Difference:
    """Compare two single trainings over their tasks, as the papers do.

    The interval says how well the difference of these two trainings is known, and
    nothing about other trainings: whoever shows it must say so.

    Args:
        first: One number a task; shape (1, task), no NaN.
        second: The other learner's, on the same tasks.

    Returns:
        The difference first − second, with Student's interval over tasks.

    >>> paired_over_tasks(np.array([[1.0, 2.0]]), np.array([[0.0, 1.0]])).mean
    1.0
    """
    gaps = _paired_gaps(first, second).T
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
    _paired_gaps(first, second)
    both = np.stack([first, second], axis=-1)
    means = both.mean(axis=1)
    center = float(np.log(means[:, 0].mean() / means[:, 1].mean()))
    # around its own means a log ratio is linear, so replicates add up
    parts = _influence(means) + center
    half, _ = _half_width_and_p(parts, _influence_draws(_paired_means(both)))
    mean, low, high = np.exp([center, center - half, center + half]).tolist()
    return Interval(mean, low, high, len(first))


def _paired_means(both: Floats) -> Floats:
    if both.shape[1] > MANY:
        return draw_nested_means(both)
    # one after the other, on the same draws: ten times as fast as side by side
    return np.stack([draw_nested_means(both[..., i]) for i in range(2)], axis=-1)


def log_ratio_over_tasks(first: Floats, second: Floats) -> Interval:
    """Return the ratio of two means, with its interval over tasks that vary freely.

    Args:
        first: One positive number a task; shape (1, task), no NaN.
        second: The other learner's, on the same tasks.

    >>> log_ratio_over_tasks(np.array([[3.0, 5.0]]), np.array([[2.0, 2.0]])).mean
    2.0
    """
    _paired_gaps(first, second)
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
    """Yield places in the flattened rows; shape (draw, replicate, task)."""
    key = _STREAM.child(replicates, tasks).key()
    draw = np.random.Generator(np.random.Philox(key=key))
    size = max(1, _CHUNK // (replicates * tasks))
    for first in range(0, draws, size):
        some = min(size, draws - first)
        chosen = draw.integers(0, replicates, (some, replicates, 1))
        yield chosen * tasks + draw.integers(0, tasks, (some, replicates, tasks))


@lru_cache(maxsize=2)
def _cached_indices(replicates: int, tasks: int, draws: int) -> tuple[Indices, ...]:
    """Draw once for all comparisons of one shape: a matrix of transfer has hundreds."""
    return tuple(_draw_indices(replicates, tasks, draws))


def _draw_normal_means(values: Floats, draws: int) -> Floats:
    """Draw replicates, and each one's mean as a mean of many tasks is spread."""
    replicates, tasks = values.shape[:2]
    key = _STREAM.child(replicates, tasks).key()
    draw = np.random.Generator(np.random.Philox(key=key))
    chosen = draw.integers(0, replicates, (draws, replicates))
    means = np.asarray(values.mean(axis=1))
    # tasks are paired, so what is measured on them must move together
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
    """Return a square root of a covariance, which may be flat in some direction."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _half_width_and_p(means: Floats, drawn: Floats | None) -> tuple[float, float]:
    """Return the half-width of the interval and the p-value of "it is 0".

    Args:
        means: One number a replicate; shape (replicate,).
        drawn: The same of each resample; shape (draw, replicate). None where
            there are enough of them for Student's interval to hold by itself.
    """
    n = len(means)
    if n < 2:
        return float("nan"), float("nan")
    error = float(means.std(ddof=1)) / n**0.5
    center = float(means.mean())
    if error == 0.0:
        return 0.0, float(center == 0.0)
    t = abs(center) / error
    critical, p = float(t_critical(np.array(n - 1.0))), _student_p(t, n - 1)
    if drawn is not None and n >= FEWEST:
        errors = np.maximum(drawn.std(axis=1, ddof=1) / n**0.5, STEADY * error)
        size = np.abs(drawn.mean(axis=1) - center) / errors
        critical = max(critical, float(np.quantile(size, CONFIDENCE)))
        p = max(p, (1 + float((size >= t).sum())) / (1 + len(size)))
    return critical * error, p


def _student_p(t: float, df: int) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(df, -t))


def _influence(means: Floats) -> Floats:
    """Return each replicate's part in a log ratio; the last axis is the pair."""
    shares = means / means.mean(axis=-2, keepdims=True)
    return np.asarray(shares[..., 0] - shares[..., 1])


def _influence_draws(drawn: Floats) -> Floats:
    totals = drawn.mean(axis=1)
    centers = np.log(totals[:, 0] / totals[:, 1])
    return np.asarray(_influence(drawn) + centers[:, None])


def _paired_gaps(first: Floats, second: Floats) -> Floats:
    if first.shape != second.shape:
        raise ValueError(f"shapes {first.shape} and {second.shape} cannot be paired")
    gaps = np.asarray(first, dtype=np.float64) - second
    if not np.isfinite(gaps).all():
        raise ValueError("a pair lacks a number; give failed tasks their worst value")
    return gaps
