"""What varied freely: replicates of what was trained, every search of what was not.

A strategy that brings nothing from before starts each search anew, so searches of two
replicates are no less alike than two of one. A trained one shares its training among
all searches of a replicate; of a single training only its searches can be looked at.
"""

from typing import NamedTuple

import numpy as np

from engine.contract.blocks import Condition
from engine.contract.runs import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import HERE, Table, is_trained
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_levels import level
from engine.stats.inference.paired import log_ratio, log_ratio_over_tasks
from engine.stats.inference.survival import Survival, kaplan_meier, survival


class Rows(NamedTuple):
    """One number a search; `values` has shape (unit, search), units vary freely.

    `single` says that the units are the searches of one training.
    """

    values: Floats
    single: bool


def freed(values: Floats, trained: bool) -> Floats:
    """Return numbers with what varies freely on the first axis.

    Args:
        values: Shape (replicate, search, …).
        trained: Whether searches of one replicate share a training.

    Returns:
        The same where several trainings are there, else (search, 1, …).

    >>> freed(np.zeros((2, 3)), trained=False).shape
    (6, 1)
    """
    if trained and len(values) > 1:
        return values
    return np.asarray(values).reshape(-1, 1, *values.shape[2:])


def rows_of(
    table: Table, spec: RunSpec, label: str, metric: str, at: Condition = HERE
) -> Rows | None:
    """Return a learner's numbers at a condition, by what varied freely."""
    values = table.tests(label, metric, at)
    if values is None:
        return None
    trained = is_trained(table, spec, label)
    return Rows(freed(values, trained), trained and len(values) == 1)


def level_of(
    table: Table, spec: RunSpec, label: str, metric: str, at: Condition = HERE
) -> Interval | None:
    """Return a metric's mean with its 95 % interval over what varied freely."""
    rows = rows_of(table, spec, label, metric, at)
    return None if rows is None else level(metric, rows.values)


def ratio(first: Floats, second: Floats, trained: bool) -> Interval:
    """Return the ratio of two paired means, such as of evaluations to a goal.

    Args:
        first: One positive number a search; shape (replicate, search).
        second: The other strategy's, on the same tasks. Searches that never got
            there hold the horizon: means are restricted means.
        trained: Whether one of the two was trained.

    >>> ratio(np.full((1, 4), 80.0), np.full((1, 4), 40.0), trained=False).mean
    2.0
    """
    if trained and len(first) > 1:
        return log_ratio(first, second)
    return log_ratio_over_tasks(first.reshape(1, -1), second.reshape(1, -1))


def waiting(
    table: Table, spec: RunSpec, label: str, at: Condition = HERE
) -> Survival | None:
    """Return the share of searches that have not found the goal, by evaluations.

    The horizon is that of the searches themselves; a moved goal is that of
    `Table.at_threshold`. The band is over trainings where there are several.
    """
    rule = table.yardstick
    step, reached = (table.tests(label, m, at) for m in (rule.beside, "reached"))
    found = table.tests(label, rule.trace, at, ("replicate", "task", "step"))
    if step is None or reached is None or found is None:
        return None
    horizon = found.shape[-1] - 1 + rule.first
    if is_trained(table, spec, label) and len(step) > 1:
        return survival(step, reached > 0, horizon)
    return kaplan_meier(step.ravel(), reached.ravel() > 0, horizon)
