"""How far what was learned carries: over severity, and from family to family.

Source: the area under the degradation curve and the relative drop are those of
Hendrycks and Dietterich (2019), arXiv:1903.12261, section 4.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.contract.blocks import Block, Condition
from engine.contract.metrics import metric
from engine.contract.runs import RunSpec
from engine.stats.array_types import Floats, Places
from engine.stats.block_table import HERE, Table, chosen, tuned_rival
from engine.stats.claims import difference, vary_freely
from engine.stats.inference.metric_levels import level


class SeverityCurve(NamedTuple):
    """One metric of one learner over a shift's severity; arrays (severity,).

    `diverged` and `members` count tasks. `metric` names what `mean` is of.
    """

    learner: str
    metric: str
    severity: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: int
    diverged: Places
    members: Places


def severity_curve(
    table: Table, learner: str, shift: str, name: str | None = None
) -> SeverityCurve | None:
    """Return a metric over a shift's severity, with 95 % intervals over replicates.

    The tests in place stand at severity 0 where the shift itself has none.

    Args:
        table: The run's blocks.
        learner: A label.
        shift: A shift's name.
        name: A per-task metric; steps to the threshold are restricted means. By
            default what the run's learners are compared by.

    Returns:
        The curve, or none if the learner was not tested under that shift.
    """
    name = name or table.yardstick.deciding
    at = {c.severity: c for c in table.conditions() if c.shift == shift}
    if not at:
        return None
    at.setdefault(0.0, HERE)
    rows = {s: table.tests(learner, name, at[s]) for s in sorted(at)}
    found = {s: values for s, values in rows.items() if values is not None}
    if not found:
        return None
    levels = [level(name, values) for values in found.values()]
    mean, low, high, n = np.array(levels, dtype=np.float64).T
    lost = [table.tests(learner, "diverged", at[s]) for s in found]
    return SeverityCurve(
        *(learner, name, np.array(list(found)), mean, low, high),
        n=int(n.max()),
        diverged=np.array([0 if d is None else int(d.sum()) for d in lost]),
        members=np.array([values.size for values in found.values()]),
    )


def degradation(curve: SeverityCurve) -> float:
    """Return how much a metric worsens on average over the range of severities.

    The area between the curve and its level at the smallest severity, divided by
    the range; in the metric's unit, positive is worse. NaN with one severity.
    """
    span = float(np.ptp(curve.severity))
    loss = _loss(curve)
    return float(np.trapezoid(loss, curve.severity)) / span if span else float("nan")


def relative_drop(curve: SeverityCurve) -> float:
    """Return how much worse the highest severity is, as a share of the lowest's level.

    For a metric in logs this is the ratio of the two, less 1; NaN where that level
    is 0.
    """
    last = float(_loss(curve)[-1])
    if metric(curve.metric).logarithm:
        return float(np.expm1(last))
    first = abs(float(curve.mean[0]))
    return last / first if first else float("nan")


def _loss(curve: SeverityCurve) -> Floats:
    sign = 1.0 if metric(curve.metric).direction > 0 else -1.0
    return np.asarray(sign * (curve.mean[0] - curve.mean))


class Transfer(NamedTuple):
    """Train family × test family: the learner's metric minus its tuned rival's.

    Arrays have shape (train, test), NaN where nothing was tested; below 0 the
    learner is better. The interval is the plain 95 % one of each cell.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    mean: Floats
    low: Floats
    high: Floats
    n: Places


def transfer_matrix(
    runs: Sequence[tuple[RunSpec, Sequence[Block]]], name: str | None = None
) -> Transfer:
    """Set the first chosen learner of each run against its tuned rival, by family.

    Args:
        runs: Completed specs and their blocks; a later run of one training family
            fills only what earlier ones left open.
        name: A per-task metric where less is better and no number is missing; by
            default what each run's learners are compared by.
    """
    cells: dict[tuple[str, str], tuple[float, float, float, int]] = {}
    for spec, blocks in runs:
        for test, cell in _row(Table(blocks, spec.kind), spec, name).items():
            cells.setdefault((spec.family.name, test), cell)
    train = tuple(dict.fromkeys(at for at, _ in cells))
    tested = tuple(dict.fromkeys([*train, *(at for _, at in cells)]))
    empty = (np.nan, np.nan, np.nan, 0)
    grid = np.array([[cells.get((a, b), empty) for b in tested] for a in train])
    mean, low, high, n = np.moveaxis(grid.reshape(len(train), len(tested), 4), -1, 0)
    return Transfer(train, tested, mean, low, high, n.astype(np.int64))


def _row(
    table: Table, spec: RunSpec, name: str | None
) -> dict[str, tuple[float, float, float, int]]:
    name = name or table.yardstick.deciding
    learner = next(iter(chosen(spec)), None)
    rival = tuned_rival(table, spec, learner) if learner else None
    if learner is None or rival is None:
        return {}
    row = {}
    for condition in table.conditions():
        if condition.shift:
            continue
        pair = [table.tests(at, name, condition) for at in (learner.label, rival)]
        if pair[0] is not None and pair[1] is not None:
            free = vary_freely(table, spec, (learner.label, rival))
            d = difference(table.yardstick, pair[0], pair[1], free=free)
            at = condition.family or spec.family.name
            row[at] = (d.mean, d.low, d.high, d.n_replicates)
    return row


def shifts_of(table: Table) -> dict[str, list[Condition]]:
    """Return the conditions of each shift that was tested, by rising severity."""
    found: dict[str, list[Condition]] = {}
    for condition in table.conditions():
        if condition.shift:
            found.setdefault(condition.shift, []).append(condition)
    return found
