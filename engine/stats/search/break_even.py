"""Break-even: how many targets pay back what was evaluated on the sources.

What a warm start saves on each target is the difference of restricted means; what it
cost was spent once. Where nothing is saved, no number of targets pays it back.
"""

import math

from engine.stats.inference.intervals import Interval
from engine.stats.inference.paired import Difference


def break_even(source: float, saved: Difference) -> Interval:
    """Return after how many targets a training has paid for itself.

    Args:
        source: Evaluations that it took, of one training.
        saved: Evaluations to the goal without it minus with it, per target.

    Returns:
        Targets, with the ends of the interval of what is saved; infinite where
        nothing is.

    >>> break_even(300.0, Difference(30.0, -1.0, 60.0, 0.1, 0.5, 8, 8))[:3]
    (10.0, 5.0, inf)
    """
    mean, low, high = (
        _targets_to_break_even(source, s) for s in (saved.mean, saved.high, saved.low)
    )
    return Interval(mean, low, high, saved.n_replicates)


def _targets_to_break_even(source: float, saved: float) -> float:
    if math.isnan(saved):
        return math.nan
    if source <= 0:
        return 0.0
    return source / saved if saved > 0 else math.inf
