"""Generalization: degradation over severity, and transfer between families.

Source: the area under the degradation curve and the relative drop are those of
Hendrycks and Dietterich (2019), arXiv:1903.12261, section 4.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import metric
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.array_types import Floats, Indices
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable
from engine.stats.diverged_tasks import task_values
from engine.stats.family_names import find_test_family, target_title
from engine.stats.inference.metric_intervals import metric_interval


class SeverityCurve(NamedTuple):
    """One metric of one learner over a shift's severity; arrays (severity,).

    Args:
        learner: Label.
        metric: The metric.
        severity: Rising, in the shift's unit.
        mean: Mean over replicates, in the metric's unit.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Replicates.
        diverged: Diverged tasks; they count as the metric's worst value, if it has one.
        members: All tasks.
    """

    learner: str
    metric: str
    severity: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: int
    diverged: Indices
    members: Indices


def severity_curve(
    table: BlockTable,
    learner: str,
    shift: str,
    name: str | None = None,
    *,
    clean: float = 0.0,
) -> SeverityCurve | None:
    """Return a metric over a shift's severity, with 95 % intervals over replicates.

    The test in distribution serves as the clean severity if the shift was not tested
    there.

    Args:
        table: The run's blocks.
        learner: A label.
        shift: A shift's name.
        name: A per-task metric; steps to the threshold are restricted means. By
            default the one that the run's learners are compared by.
        clean: The severity at which the shift changes nothing.

    Returns:
        The curve; None if the learner was not tested under that shift.
    """
    name = name or table.criterion.deciding
    at = {c.severity: c for c in table.conditions() if c.shift == shift}
    if not at:
        return None
    at.setdefault(clean, IN_DISTRIBUTION)
    rows = {s: task_values(table, learner, name, at[s]) for s in sorted(at)}
    found = {s: values for s, values in rows.items() if values is not None}
    if not found:
        return None
    share = table.criterion.share
    levels = [metric_interval(name, rows, share=share) for rows in found.values()]
    mean, low, high, n = np.array(levels, dtype=np.float64).T
    lost = [table.test_values(learner, "diverged", at[s]) for s in found]
    return SeverityCurve(
        learner,
        name,
        np.array(list(found)),
        mean,
        low,
        high,
        n=int(n.max()),
        diverged=np.array([0 if d is None else int(d.sum()) for d in lost]),
        members=np.array([values.size for values in found.values()]),
    )


def degradation(curve: SeverityCurve) -> float:
    """Return how much a metric worsens on average over the range of severities.

    Args:
        curve: The metric over severity.

    Returns:
        The area between the curve and its level at the smallest severity, divided by
        the range; in the metric's unit, positive is worse. NaN with one severity.
    """
    span = float(np.ptp(curve.severity))
    loss = _loss_increase(curve)
    return float(np.trapezoid(loss, curve.severity)) / span if span else float("nan")


def relative_drop(curve: SeverityCurve) -> float:
    """Return how much worse the highest severity is, as a share of the lowest's level.

    Args:
        curve: The metric over severity.

    Returns:
        A share, positive is worse; for a metric in logs the ratio of the two minus 1.
        NaN where the lowest severity's level is 0.
    """
    last = float(_loss_increase(curve)[-1])
    if metric(curve.metric).logarithm:
        return float(np.expm1(last))
    first = abs(float(curve.mean[0]))
    return last / first if first else float("nan")


def _loss_increase(curve: SeverityCurve) -> Floats:
    # Accuracies fall and losses rise: either way a positive number is worse.
    sign = 1.0 if metric(curve.metric).direction > 0 else -1.0
    return np.asarray(sign * (curve.mean[0] - curve.mean))


class FamilyTransfer(NamedTuple):
    """Train family × test family: a learner's level with its 95 % interval.

    Arrays have shape (train, test), NaN where no run was tested.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    mean: Floats
    low: Floats
    high: Floats


def transfer_levels(
    runs: Iterable[tuple[RunSpec, Mapping[str, Any]]], label: str, name: str
) -> FamilyTransfer:
    """Return what a learner that was trained on one family reaches on another.

    Args:
        runs: Completed specs with the summaries that were filed; of two runs that
            fill a cell the first counts.
        label: The learner.
        name: A number of the summary, such as a per-task metric.

    Returns:
        Levels with 95 % intervals, in the metric's unit.
    """
    held = list(runs)
    titles = _matrix_titles([spec for spec, _ in held])
    cells: dict[tuple[str, str], tuple[float, float, float]] = {}
    for spec, summary in held:
        for test, cell in _family_row(summary, label, name):
            tested_on = find_test_family(spec, test)
            title = titles(tested_on) if tested_on else test
            cells.setdefault((titles(spec.family), title), cell)
    train = tuple(dict.fromkeys(at for at, _ in cells))
    tested = tuple(dict.fromkeys([*train, *(at for _, at in cells)]))
    empty = (np.nan, np.nan, np.nan)
    grid = np.array([[cells.get((a, b), empty) for b in tested] for a in train])
    mean, low, high = np.moveaxis(grid.reshape(len(train), len(tested), 3), -1, 0)
    return FamilyTransfer(train, tested, mean, low, high)


def _matrix_titles(specs: Sequence[RunSpec]) -> Callable[[Choice], str]:
    """Return how a family is named: by its knobs if a run has two of its kind."""
    every = [(spec.family, *spec.test_families) for spec in specs]
    twice = {
        name
        for families in every
        for name, count in Counter(each.name for each in families).items()
        if count > 1
    }
    among = [each for families in every for each in families]
    alone = len({each.name for each in among}) == 1

    def title(choice: Choice) -> str:
        if choice.name not in twice:
            return choice.name
        told, name = target_title(choice, among), name_in_words(choice.name)
        # Beside other families, knobs alone would not say whose they are.
        return told if alone or name in told else f"{name}: {told}"

    return title


def _family_row(
    summary: Mapping[str, Any], label: str, name: str
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Yield a learner's levels by test family; the trained one has no name."""
    for entry in summary.get("conditions", []):
        where = entry["condition"]
        found = entry["learners"].get(label, {}).get(name)
        if where["shift"] or found is None or found["mean"] is None:
            continue
        ends = _number(found["low"]), _number(found["high"])
        yield where["family"], (float(found["mean"]), *ends)


def _number(value: float | None) -> float:
    # A summary is JSON, where an end that is not finite is null.
    return float("nan") if value is None else float(value)


def conditions_by_shift(table: BlockTable) -> dict[str, list[Condition]]:
    """Return the conditions of each shift that was tested, by rising severity."""
    found: dict[str, list[Condition]] = {}
    for condition in table.conditions():
        if condition.shift:
            found.setdefault(condition.shift, []).append(condition)
    return found
