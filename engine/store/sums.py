"""Timings added up by learner and stage, in the order of first appearance."""

from collections.abc import Iterable

from engine.contract.blocks import Timing


def summed(timings: Iterable[Timing]) -> list[Timing]:
    """Add seconds and counts of the same learner and stage.

    >>> summed([Timing("sgd", "test", 1.0), Timing("sgd", "test", 2.0)])
    [Timing(learner='sgd', stage='test', seconds=3.0, count=2)]
    """
    sums: dict[tuple[str, str], tuple[float, int]] = {}
    for timing in timings:
        at = (timing.learner, timing.stage)
        seconds, count = sums.get(at, (0.0, 0))
        sums[at] = (seconds + timing.seconds, count + timing.count)
    return [Timing(*at, *total) for at, total in sums.items()]


def flat(timings: Iterable[Timing]) -> list[list[object]]:
    """Return timings as JSON."""
    return [[t.learner, t.stage, t.seconds, t.count] for t in summed(timings)]
