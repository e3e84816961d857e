"""Lost tasks: whether one of two learners diverges more often than the other.

The test is exact. If both learners lose tasks equally often, the sign of each unit's
difference in lost tasks is as good as a coin, so all 2^n signs are counted.

Source: Fisher (1935), The Design of Experiments, section 21.
"""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats


class LostTasks(NamedTuple):
    """How many tasks two learners lost, and whether that is more than chance.

    Args:
        mine: Tasks that the first learner lost.
        other: Tasks that the second one lost.
        p: Two-sided, of losing equally often; NaN with a single unit.
        least_p: The smallest p that so many unequal units can have: a test that cannot
            reject needs no share of the level.
        alike: Whether both lost the same tasks, and kept others.
    """

    mine: int
    other: int
    p: float
    least_p: float = 1.0
    alike: bool = True


NONE_LOST = LostTasks(0, 0, 1.0)


def compare_lost_tasks(mine: Floats, other: Floats) -> LostTasks:
    """Compare how many tasks two learners lost, unit by unit.

    Args:
        mine: 1 where the first learner diverged, else 0; shape (unit, task).
        other: The second learner's, on the same tasks.

    Returns:
        The counts, and the p-value of a sign-flip test over the units.

    >>> compare_lost_tasks(np.ones((8, 1)), np.zeros((8, 1)))
    LostTasks(mine=8, other=0, p=0.0078125, least_p=0.0078125, alike=False)
    """
    gaps = mine.sum(axis=1).astype(int) - other.sum(axis=1).astype(int)
    p = _sign_flip_p(gaps.tolist()) if len(gaps) > 1 else float("nan")
    least_p = min(1.0, 2.0 ** (1 - int(np.count_nonzero(gaps))))
    alike = np.array_equal(mine, other) and not bool(mine.all())
    return LostTasks(int(mine.sum()), int(other.sum()), p, least_p, alike)


def _sign_flip_p(gaps: list[int]) -> float:
    """Return how often random signs give a sum at least as far from 0."""
    chances = np.ones(1)  # of each sum, from −total to total
    for gap in filter(None, map(abs, gaps)):
        step = np.zeros(2 * gap + 1)
        step[[0, -1]] = 0.5
        chances = np.convolve(chances, step)
    total = len(chances) // 2
    sums = np.abs(np.arange(-total, total + 1))
    return min(1.0, float(chances[sums >= abs(sum(gaps))].sum()))
