"""Errors of the probes, and their paired differences over episodes."""

from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable
from engine.stats.task_metrics.few_shot import WORST


class MeanAndError(NamedTuple):
    """A mean over episodes and its standard error."""

    mean: float
    error: float


def mean_and_error(values: Floats) -> MeanAndError:
    """Return the mean of paired differences and its standard error.

    Args:
        values: One difference per episode; any shape.

    Returns:
        Mean and standard error over all episodes, in the unit of the values.

    >>> mean_and_error(np.array([[1.0, 1.0]]))
    MeanAndError(mean=1.0, error=0.0)
    """
    free = max(1, values.size - 1)
    error = float(np.sqrt(((values - values.mean()) ** 2).sum() / free / values.size))
    return MeanAndError(float(values.mean()), error)


def paired_difference(
    table: BlockTable, label: str, first: str, second: str
) -> MeanAndError | None:
    """Return the mean of first − second over the episodes that have both errors.

    None if one is missing, or if most episodes have an error at its cap.
    """
    one, other = (
        uncapped_errors(table, label, first),
        uncapped_errors(table, label, second),
    )
    if one is None or other is None:
        return None
    apart = one - other
    known = apart[np.isfinite(apart)]
    return mean_and_error(known) if known.size > apart.size / 2 else None


def uncapped_errors(table: BlockTable, label: str, name: str) -> Floats | None:
    """Return an error per episode, NaN at the cap; None if it was not measured.

    A squared error at its cap stands for a task that blew up. All classes wrong is an
    error of 1, which is measured.
    """
    errors = table.test_values(label, name)
    if errors is None or table.criterion.share:
        return errors
    return np.where(errors < WORST["query_mse"], errors, np.nan)
