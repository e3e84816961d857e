"""Robustness of a strategy: spread over its searches and mean of the worst tenth.

Source: Rockafellar and Uryasev (2000), Journal of Risk 2(3), the mean of the worst
share; Efron (1987), JASA 82, bootstrap intervals, here percentile intervals of a
nested bootstrap that draws replicates first.
"""

from typing import NamedTuple

import numpy as np

from engine.contract.rng import Rng
from engine.stats.array_types import Floats
from engine.stats.inference.intervals import CONFIDENCE, Interval

WORST = 0.1  # share of the searches
DRAWS = 2000  # enough for percentiles to two digits
_STREAM = Rng(0).child("stats", "robustness")


class Robustness(NamedTuple):
    """The standard deviation over searches, and the mean of the worst tenth."""

    sd: Interval
    worst: Interval


def robustness(values: Floats, share: float = WORST) -> Robustness:
    """Return the spread and the tail of a number where less is better.

    Args:
        values: One number a search; shape (unit, search), units being independent.
        share: Share of the searches that count as the worst.

    Returns:
        Both with 95 % intervals, in the unit of the values.

    >>> found = robustness(np.arange(10.0)[:, None])
    >>> round(found.sd.mean, 2), found.worst.mean
    (3.03, 9.0)
    """
    values = np.asarray(values, dtype=np.float64)
    whole = values.reshape(1, -1)
    drawn = _resample_searches(values)
    n = len(values)
    return Robustness(
        _quantile_interval(float(_sd(whole)[0]), _sd(drawn), n),
        _quantile_interval(
            float(tail_mean(whole, share)[0]), tail_mean(drawn, share), n
        ),
    )


def tail_mean(values: Floats, share: float = WORST) -> Floats:
    """Return the mean of the largest values of each row.

    Args:
        values: Shape (…, value).
        share: Share of the values to average, at least one.

    Returns:
        Shape (…).

    >>> tail_mean(np.array([[1.0, 5.0, 2.0, 4.0]]), 0.5).tolist()
    [4.5]
    """
    count = max(1, round(share * values.shape[-1]))
    return np.asarray(np.sort(values, axis=-1)[..., -count:].mean(axis=-1))


def _sd(values: Floats) -> Floats:
    if values.shape[-1] < 2:
        return np.full(values.shape[:-1], np.nan)
    return np.asarray(values.std(axis=-1, ddof=1))


def _resample_searches(values: Floats) -> Floats:
    """Draw units, then searches within each; shape (draw, search)."""
    units, searches = values.shape
    if units < 2:
        return np.empty((0, units * searches))
    # Keyed by the number of units: the same run gives the same interval anywhere.
    draw = np.random.Generator(np.random.Philox(key=_STREAM.child(units).key()))
    rows = draw.integers(0, units, (DRAWS, units, 1))
    columns = draw.integers(0, searches, (DRAWS, units, searches))
    return values[rows, columns].reshape(DRAWS, -1)


def _quantile_interval(found: float, drawn: Floats, n: int) -> Interval:
    if not len(drawn):
        return Interval(found, float("nan"), float("nan"), n)
    aside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [aside, 1 - aside])
    return Interval(found, float(low), float(high), n)
