"""What varied freely: replicates of what was trained, every search of what was not.

A strategy that brings nothing from before starts each search anew, so searches of two
replicates are no less alike than two of one. A trained one shares its training among
all searches of a replicate; of a single training only its searches can be looked at.
"""

from typing import NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.runs import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable, is_trained
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.inference.paired import log_ratio, log_ratio_over_tasks
from engine.stats.inference.survival import (
    Survival,
    kaplan_meier,
    survival_over_replicates,
)


class UnitValues(NamedTuple):
    """One number a search; `values` has shape (unit, search), units vary freely.

    `single` says that the units are the searches of one training.
    """

    values: Floats
    single: bool


def regroup_units(values: Floats, trained: bool) -> Floats:
    """Return numbers with what varies freely on the first axis.

    Args:
        values: Shape (replicate, search, …).
        trained: Whether searches of one replicate share a training.

    Returns:
        The same where several trainings are there, else (search, 1, …).

    >>> regroup_units(np.zeros((2, 3)), trained=False).shape
    (6, 1)
    """
    if trained and len(values) > 1:
        return values
    return np.asarray(values).reshape(-1, 1, *values.shape[2:])


def unit_values(
    table: BlockTable,
    spec: RunSpec,
    label: str,
    metric: str,
    condition: Condition = IN_DISTRIBUTION,
) -> UnitValues | None:
    """Return a learner's numbers at a condition, by what varied freely."""
    values = table.test_values(label, metric, condition)
    if values is None:
        return None
    trained = is_trained(table, spec, label)
    return UnitValues(regroup_units(values, trained), trained and len(values) == 1)


def learner_interval(
    table: BlockTable,
    spec: RunSpec,
    label: str,
    metric: str,
    condition: Condition = IN_DISTRIBUTION,
) -> Interval | None:
    """Return a metric's mean with its 95 % interval over what varied freely."""
    rows = unit_values(table, spec, label, metric, condition)
    return None if rows is None else metric_interval(metric, rows.values)


def paired_ratio(first: Floats, second: Floats, trained: bool) -> Interval:
    """Return the ratio of two paired means, such as of evaluations to a goal.

    Args:
        first: One positive number a search; shape (replicate, search).
        second: The other strategy's, on the same tasks. Searches that never got
            there hold the horizon: means are restricted means.
        trained: Whether one of the two was trained.

    >>> paired_ratio(np.full((1, 4), 80.0), np.full((1, 4), 40.0), trained=False).mean
    2.0
    """
    if trained and len(first) > 1:
        return log_ratio(first, second)
    return log_ratio_over_tasks(first.reshape(1, -1), second.reshape(1, -1))


def goal_survival(
    table: BlockTable, spec: RunSpec, label: str, condition: Condition = IN_DISTRIBUTION
) -> Survival | None:
    """Return the share of searches that have not found the goal, by evaluations.

    The horizon is that of the searches themselves; a moved goal is that of
    `Table.at_threshold`. The band is over trainings where there are several.
    """
    rule = table.criterion
    step, reached = (
        table.test_values(label, m, condition) for m in (rule.beside, "reached")
    )
    found = table.test_values(
        label, rule.trace, condition, ("replicate", "task", "step")
    )
    if step is None or reached is None or found is None:
        return None
    horizon = found.shape[-1] - 1 + rule.first
    if is_trained(table, spec, label) and len(step) > 1:
        return survival_over_replicates(step, reached > 0, horizon)
    return kaplan_meier(step.ravel(), reached.ravel() > 0, horizon)
