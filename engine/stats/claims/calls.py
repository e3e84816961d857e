"""Calls: the four ways that a comparison of two learners can end.

A call follows from an interval at the level of its test: an interval inside the margin
is "equal", one without 0 is "better" or "worse", and any other is "can't tell yet".
"""

from typing import Literal

Call = Literal["better", "worse", "equal", "can't tell yet"]
BETTER: Call = "better"
WORSE: Call = "worse"
EQUAL: Call = "equal"
CANT_TELL: Call = "can't tell yet"
CALLS: tuple[Call, ...] = (BETTER, EQUAL, CANT_TELL, WORSE)  # as texts list them


def call_from_interval(low: float, high: float, margin: float) -> Call:
    """Return the call of a difference in a metric where less is better.

    Args:
        low: Lower end of the interval of first − second; NaN where there is none.
        high: Upper end, likewise.
        margin: Largest difference that does not matter; 0 if none counts as equal.

    >>> call_from_interval(-0.4, -0.2, 0.05), call_from_interval(-0.4, 0.2, 0.05)
    ('better', "can't tell yet")

    A difference too small to matter is equal, however certain it is:

    >>> call_from_interval(-0.02, -0.01, 0.05)
    'equal'
    """
    # NaN compares as False, so without an interval no case applies.
    if -margin < low and high < margin:
        return EQUAL
    if high < 0:
        return BETTER
    return WORSE if low > 0 else CANT_TELL
