"""Timings summed by learner and stage, in the order of first appearance.

Seconds and counts are added; of the memory peaks the largest is kept.
"""

from collections.abc import Iterable

from engine.contract.events import Timing


def sum_timings(timings: Iterable[Timing]) -> list[Timing]:
    """Add up the timings of the same learner and stage.

    Args:
        timings: Seconds, counts and memory peaks (bytes), in any order.

    Returns:
        One timing per learner and stage: sums, and the largest peak.

    >>> sum_timings([Timing("sgd", "test", 1.0), Timing("sgd", "test", 2.0)])
    [Timing(learner='sgd', stage='test', seconds=3.0, count=2, peak=0)]
    """
    sums: dict[tuple[str, str], tuple[float, int, int]] = {}
    for timing in timings:
        at = (timing.learner, timing.stage)
        seconds, count, peak = sums.get(at, (0.0, 0, 0))
        total = (seconds + timing.seconds, count + timing.count)
        sums[at] = (*total, max(peak, timing.peak))
    return [Timing(*at, *total) for at, total in sums.items()]


def timings_as_rows(timings: Iterable[Timing]) -> list[list[object]]:
    """Return summed timings as JSON rows: learner, stage, seconds, count[, peak].

    The peak, in bytes, is left out where memory was not measured.
    """
    return [
        [t.learner, t.stage, t.seconds, t.count, *([t.peak] if t.peak else [])]
        for t in sum_timings(timings)
    ]
