"""How many more replicates would decide a question that is still open.

An approximation: the present estimate and spread are taken for the truth, the error
shrinks with the root of the number of units, and the question counts as decided where
a call has a chance of 80 %. Estimates from few replicates are themselves uncertain, so
the answer is rounded to a plain number.
"""

import math

from engine.contract.run_spec import MOST_REPLICATES
from engine.stats.inference.comparison import Comparison

_LIKELY = 0.8416212335729143  # normal quantile of 80 %


def replicates_needed(found: Comparison, margin: float, alpha: float) -> int | None:
    """Return about how many more replicates would give a call other than can't tell.

    Args:
        found: The comparison so far.
        margin: Largest difference that does not matter, in the unit of the values.
        alpha: Level of the interval that is to decide.

    Returns:
        A plain number of replicates; None if unknown, or if a run cannot hold them.
    """
    if found.n_replicates < 2 or not found.error > 0:
        return None
    low, high = found.interval(alpha)
    spare = _LIKELY * found.error
    # Whichever is nearer: to leave 0, or to shrink into the margin.
    size = abs(found.mean)
    inner = found.mean - low if found.mean > 0 else high - found.mean
    ways = [(inner + spare) / size] if size else []
    if size < margin:
        ways.append(((high - low) / 2 + spare) / (margin - size))
    more = (min(ways, default=math.inf) ** 2 - 1) * found.n_replicates
    if more > MOST_REPLICATES - found.n_replicates:
        return None
    return round_up_plainly(max(1, math.ceil(more)))


def round_up_plainly(count: int) -> int:
    """Round up to one leading digit, so that no precision is feigned.

    >>> [round_up_plainly(n) for n in (3, 11, 37, 101, 340)]
    [3, 20, 40, 200, 400]
    """
    step: int = 10 ** (len(str(count)) - 1)
    return -(-count // step) * step
