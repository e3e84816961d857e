"""Independent units: replicates of trained strategies, searches of untrained ones.

An untrained strategy starts each search anew, so all its searches are independent.
A trained one shares its training among all searches of a replicate, so replicates are
independent; with a single training, only its searches can be used.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.run_spec import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable, is_trained
from engine.stats.inference.intervals import CONFIDENCE, Interval
from engine.stats.inference.mean_ratio import log_ratio, log_ratio_over_tasks
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.inference.survival import (
    Survival,
    kaplan_meier,
    survival_over_replicates,
)


class UnitValues(NamedTuple):
    """One number a search, grouped by independent unit.

    Args:
        values: Shape (unit, search).
        single: Whether the units are the searches of a single training.
    """

    values: Floats
    single: bool


def regroup_units(values: Floats, trained: bool) -> Floats:
    """Return numbers with the independent units on the first axis.

    Args:
        values: Shape (replicate, search, …).
        trained: Whether searches of one replicate share a training.

    Returns:
        The same array if there are several trainings, else shape (search, 1, …).

    >>> regroup_units(np.zeros((2, 3)), trained=False).shape
    (6, 1)
    """
    if trained and len(values) > 1:
        return values
    return np.asarray(values).reshape(-1, 1, *values.shape[2:])


def drop_repeats(values: Floats) -> Floats:
    """Return the first replicate alone where all others only repeat it.

    A learner that is not trained gives the same rows in every replicate if the test
    tasks are a fixed list, such as the 20 official runs of Omniglot: they count once.
    If all tasks have one value, equal rows are no sign of that.

    Args:
        values: Shape (replicate, task).

    >>> drop_repeats(np.array([[0.1, 0.3], [0.1, 0.3]])).shape
    (1, 2)
    >>> drop_repeats(np.array([[1.0, 1.0], [1.0, 1.0]])).shape
    (2, 2)
    """
    same = np.array_equal(values, np.broadcast_to(values[:1], values.shape), True)
    return values[:1] if same and len(np.unique(values[0])) > 1 else values


def unit_values(
    table: BlockTable,
    spec: RunSpec,
    label: str,
    metric: str,
    condition: Condition = IN_DISTRIBUTION,
) -> UnitValues | None:
    """Return a learner's numbers at a condition, by independent unit.

    Args:
        table: The run's blocks.
        spec: The run.
        label: The learner.
        metric: A per-search metric.
        condition: Where it was tested.

    Returns:
        The numbers in the metric's unit; None if it was not measured.
    """
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
    """Return a metric's mean with its 95 % interval over independent units.

    Args:
        table: The run's blocks.
        spec: The run.
        label: The learner.
        metric: A per-search metric.
        condition: Where it was tested.

    Returns:
        The mean in the metric's unit; None if it was not measured.
    """
    rows = unit_values(table, spec, label, metric, condition)
    return None if rows is None else metric_interval(metric, rows.values)


def paired_ratio(
    first: Floats, second: Floats, trained: bool, alpha: float = 1 - CONFIDENCE
) -> Interval:
    """Return the ratio of two paired means, such as of evaluations to a goal.

    Args:
        first: One positive number a search; shape (replicate, search).
        second: The other strategy's, on the same tasks. Searches that never reached
            the goal hold the horizon: means are restricted means.
        trained: Whether one of the two was trained.
        alpha: Chance that the interval misses the ratio.

    Returns:
        mean(first) / mean(second) with its interval.

    >>> paired_ratio(np.full((1, 4), 80.0), np.full((1, 4), 40.0), trained=False).mean
    2.0
    """
    if trained and len(first) > 1:
        return log_ratio(first, second, alpha)
    return log_ratio_over_tasks(first.reshape(1, -1), second.reshape(1, -1), alpha)


def goal_survival(
    table: BlockTable, spec: RunSpec, label: str, condition: Condition = IN_DISTRIBUTION
) -> Survival | None:
    """Return the share of searches that have not found the goal, by evaluations.

    Args:
        table: The run's blocks; `BlockTable.with_threshold` gives another goal.
        spec: The run.
        label: The learner.
        condition: Where it was tested.

    Returns:
        The curve up to the horizon, with a band over trainings where there are
        several; None if the searches were not recorded.
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
    # Searches count from 1, optimization steps from 0.
    horizon = found.shape[-1] - 1 + rule.first
    if is_trained(table, spec, label) and len(step) > 1:
        return survival_over_replicates(step, reached > 0, horizon)
    return kaplan_meier(step.ravel(), reached.ravel() > 0, horizon)


def are_independent(table: BlockTable, spec: RunSpec, labels: Iterable[str]) -> bool:
    """Return whether all repetitions by these learners are independent.

    Args:
        table: The run's blocks.
        spec: The run.
        labels: The learners.
    """
    trained = any(is_trained(table, spec, label) for label in labels)
    return table.criterion.pools and not trained
