"""Break-even: after how many targets the evaluations on sources are paid back.

A warm start saves the difference of restricted means on each target; its cost is paid
once. Where nothing is saved, no number of targets pays it back.
"""

import math

from engine.stats.inference.intervals import Interval


def break_even(source: float, saved: Interval) -> Interval:
    """Return after how many targets a training has paid for itself.

    Args:
        source: Evaluations on source tasks per training.
        saved: Evaluations to the goal without it minus with it, per target.

    Returns:
        Number of targets with its interval; infinite where nothing is saved.

    >>> break_even(300.0, Interval(30.0, -1.0, 60.0, 8))[:3]
    (10.0, 5.0, inf)
    """
    # The more is saved, the fewer targets it takes: the ends swap.
    mean, low, high = (
        _targets_to_break_even(source, s) for s in (saved.mean, saved.high, saved.low)
    )
    return Interval(mean, low, high, saved.n)


def _targets_to_break_even(source: float, saved: float) -> float:
    if math.isnan(saved):
        return math.nan
    if source <= 0:
        return 0.0
    return source / saved if saved > 0 else math.inf
