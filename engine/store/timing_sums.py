"""Timings by learner and stage, in the order of first appearance.

Seconds and counts add up; of memory the largest peak stays.
"""

from collections.abc import Iterable

from engine.contract.events import Timing


def sum_timings(timings: Iterable[Timing]) -> list[Timing]:
    """Add seconds and counts of the same learner and stage.

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
    """Return timings as JSON; a peak is only there where memory was looked at."""
    return [
        [t.learner, t.stage, t.seconds, t.count, *([t.peak] if t.peak else [])]
        for t in sum_timings(timings)
    ]
