"""Calibration: whether predicted probabilities are how often it happens.

Of values, a central interval that should hold a share p of the targets is asked how
many it holds. Of classes, answers are grouped by their confidence, and each group is
asked how many are right. The expected calibration error is the mean distance between
the two, over the levels 10 %, …, 90 %, or over the queries.

Source: Guo et al. (2017), arXiv:1706.04599, equation 3; Dawid (1984), JRSS A 147.
"""

from typing import NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable

PER_BIN = ("replicate", "bin")


class Calibration(NamedTuple):
    """What was predicted and what happened; shape (replicate, point) each.

    Args:
        predicted: Probability of a central interval, or mean confidence of a group; NaN
            where a group is empty.
        observed: Share of targets inside, or of right answers; NaN likewise.
        weight: Share of a point in the expected calibration error.
    """

    predicted: Floats
    observed: Floats
    weight: Floats

    def expected_error(self) -> Floats:
        """Return the expected calibration error; NaN if all tasks diverged.

        Returns:
            Mean |observed − predicted|, 0 to 1; shape (replicate,).
        """
        gap = np.abs(self.observed - self.predicted)
        counted = np.where(self.weight > 0, gap * self.weight, 0.0).sum(axis=1)
        measured = np.isfinite(gap).any(axis=1)
        return np.asarray(np.where(measured, counted, np.nan))


def calibration(
    table: BlockTable, label: str, condition: Condition = IN_DISTRIBUTION
) -> Calibration | None:
    """Return how well a learner is calibrated at a condition.

    Args:
        table: The run's blocks.
        label: The learner.
        condition: Where it was tested.

    Returns:
        By central interval or by confidence; None if it was not measured.
    """

    def rows(metric: str) -> Floats | None:
        return table.test_values(label, metric, condition, PER_BIN)

    below = rows("below_share")
    if below is not None:
        return interval_calibration(below)
    share, sure, right = map(
        rows, ("confidence_share", "bin_confidence", "bin_accuracy")
    )
    if share is None or sure is None or right is None:
        return None
    return Calibration(sure, right, share)


def interval_calibration(below: Floats) -> Calibration:
    """Return the coverage of central intervals.

    Args:
        below: Share of targets by predicted quantile, in an even number of equal bins;
            shape (replicate, bin).

    Returns:
        At each interval that is made of whole bins, the whole range left out.

    >>> found = interval_calibration(np.array([[0.0, 0.4, 0.6, 0.0]]))
    >>> found.predicted.tolist(), found.observed.tolist()
    ([[0.5]], [[1.0]])
    """
    half = below.shape[1] // 2
    pairs = below[:, half:-1] + below[:, half - 1 : 0 : -1]
    predicted = np.broadcast_to(np.arange(1, half) / half, pairs.shape)
    return Calibration(
        predicted, pairs.cumsum(axis=1), np.full(pairs.shape, 1.0 / (half - 1))
    )
