"""The questions of a run: which pairs of learners are compared, where and by what."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from engine.contract.events import Condition
from engine.contract.kinds import Criterion
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable, baseline_learners, chosen_learners
from engine.stats.claims.lost_tasks import NONE_LOST, LostTasks, compare_lost_tasks
from engine.stats.claims.question import Question, SampleUnit
from engine.stats.claims.rival import main_rivals
from engine.stats.condition_words import is_unshifted
from engine.stats.independent_units import are_independent, drop_repeats
from engine.stats.inference.comparison import (
    Comparison,
    compare_over_replicates,
    compare_over_tasks,
)


def ask_questions(
    table: BlockTable, spec: RunSpec, threshold: float | None
) -> Iterator[Question]:
    """Yield a question for every pair, metric and condition that can be compared.

    Args:
        table: The run's blocks.
        spec: The run; it says which learners are chosen and which are baselines.
        threshold: None where there is none; then steps to it are not compared.

    Yields:
        By learner, other learner, metric and condition.
    """
    chosen = chosen_learners(spec)
    metrics = table.criterion.metrics_to_compare(threshold)
    for i, learner in enumerate(chosen):
        rivals = main_rivals(table, spec, learner)
        others = [*baseline_learners(spec), *chosen[i + 1 :]]
        for other, metric in product(others, metrics):
            decisive = other.label in rivals
            yield from _ask(table, spec, (learner, other), metric, decisive)


def _ask(
    table: BlockTable,
    spec: RunSpec,
    pair: tuple[LearnerChoice, LearnerChoice],
    metric: str,
    decisive: bool,
) -> Iterator[Question]:
    rule, labels = table.criterion, (pair[0].label, pair[1].label)
    free = are_independent(table, spec, labels)
    for condition in table.conditions():
        if is_unshifted(condition, spec):
            continue  # the same rows as in distribution; Holm must not count them twice
        first, second = (table.test_values(at, metric, condition) for at in labels)
        if first is None or second is None or first.shape != second.shape:
            continue
        if not (_is_complete(first) and _is_complete(second)):
            continue
        found, over = _compare(rule, first, second, free=free)
        yield Question(
            *labels,
            condition=condition,
            metric=metric,
            found=found,
            margin=rule.margin_at(
                metric, _margin_level(table, labels[1], condition, second)
            ),
            lost=_lost_tasks(table, labels, condition, over),
            over=over,
            decisive=decisive,
            unreached=metric == rule.beside and _is_unreached(table, labels, condition),
        )


def _is_unreached(
    table: BlockTable, labels: tuple[str, str], condition: Condition
) -> bool:
    """Return whether neither learner reached the goal on any task."""
    both = [table.test_values(label, "reached", condition) for label in labels]
    return all(reached is not None and not reached.any() for reached in both)


def _margin_level(
    table: BlockTable, baseline: str, condition: Condition, values: Floats
) -> float:
    """Return the level that a relative margin is a share of."""
    yardstick = table.criterion.yardstick
    found = table.test_values(baseline, yardstick, condition) if yardstick else None
    return float((values if found is None else found).mean())


def _is_complete(values: Floats) -> bool:
    """Return whether every replicate was measured.

    Of a run that was continued by a newer Metascope, only the later ones may have been.
    """
    return not np.isnan(values).all(axis=1).any()


def _compare(
    rule: Criterion, first: Floats, second: Floats, *, free: bool
) -> tuple[Comparison, SampleUnit]:
    """Compare two learners over the independent units, and say what these are."""
    if free and first.size > 1:
        return compare_over_tasks(first, second), "searches"
    once = drop_repeats(first), drop_repeats(second)
    if rule.singles and len(once[0]) == len(once[1]) == 1:
        first, second = once
    if rule.singles and len(first) == 1 < first.size:
        return compare_over_tasks(first, second), "episodes"
    return compare_over_replicates(first, second), "replicates"


def _lost_tasks(
    table: BlockTable, labels: tuple[str, str], condition: Condition, over: SampleUnit
) -> LostTasks:
    mine, other = (table.test_values(at, "diverged", condition) for at in labels)
    if mine is None or other is None or mine.shape != other.shape:
        return NONE_LOST
    if over == "episodes":  # further replicates would be repetitions of the first
        mine, other = mine[:1], other[:1]
    # Where tasks are the units, each is a row of its own.
    width = mine.shape[1] if over == "replicates" else 1
    return compare_lost_tasks(mine.reshape(-1, width), other.reshape(-1, width))


def compare_pair(
    rule: Criterion, first: Floats, second: Floats, *, free: bool = False
) -> Comparison:
    """Compare two learners on the same tasks, over the independent units.

    Args:
        rule: The criterion; it says whether single trainings may be compared.
        first: One number a task; shape (replicate, task).
        second: The other learner's, on the same tasks.
        free: Whether all tasks of all replicates are independent.

    Returns:
        The difference first − second, in the metric's unit.
    """
    return _compare(rule, first, second, free=free)[0]
