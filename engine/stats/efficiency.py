"""What a search got for what it spent: evaluations, price, and its own time.

The best so far changes only when something was trained, so between two prices it is
what it was: curves over the price are steps, read off on a common grid, and then
averaged over searches.

Source: Dong and Yang (2020), arXiv:2001.00326, figures of accuracy over time spent.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from engine.contract.blocks import Condition, Timing
from engine.contract.runs import RunSpec
from engine.stats.arrays import Floats
from engine.stats.curves import Curve, quantiles
from engine.stats.intervals import Interval
from engine.stats.level import level, level_band
from engine.stats.pooling import freed
from engine.stats.table import HERE, PER_STEP, Table, is_trained

POINTS = 200


def held(values: Floats, spent: Floats, grid: Floats) -> Floats:
    """Read off what each search had when it had spent so much.

    Args:
        values: After each evaluation; shape (…, step).
        spent: Price of all trainings up to there; shape (…, step), never falling.
        grid: Prices to look at; shape (point,).

    Returns:
        Shape (…, point), NaN before the first training is paid for.

    >>> held(np.array([0.5, 0.2]), np.array([1.0, 3.0]), np.array([0.5, 1.0, 2.9, 3.0]))
    array([nan, 0.5, 0.5, 0.2])
    """
    shape = values.shape[:-1]
    rows = zip(values.reshape(-1, values.shape[-1]), _flat(spent, values), strict=True)
    read = [_read(row, paid, grid) for row, paid in rows]
    return np.stack(read).reshape(*shape, len(grid))


def _flat(spent: Floats, values: Floats) -> Floats:
    return np.broadcast_to(spent, values.shape).reshape(-1, values.shape[-1])


def _read(values: Floats, spent: Floats, grid: Floats) -> Floats:
    # traces are float32: a grid point on a price must not miss it by a rounding
    at = np.searchsorted(spent, grid * (1 + 1e-6), side="right") - 1
    return np.where(at < 0, np.nan, values[np.maximum(at, 0)])


def grid_of(spent: Iterable[Floats], points: int = POINTS) -> Floats:
    """Return prices from the first training to what every search could still spend.

    Args:
        spent: Of each learner; shape (replicate, task, step).
        points: How many.

    Returns:
        Evenly spaced; the last one is the largest price that all learners reached on
        average, so that no curve ends before the picture does.
    """
    rows = list(spent)
    first = min(float(row[..., 0].min()) for row in rows)
    last = min(float(row[..., -1].mean()) for row in rows)
    return np.linspace(first, max(first, last), points)


def by_price(
    table: Table,
    spec: RunSpec,
    name: str = "regret",
    at: Condition = HERE,
    points: int = POINTS,
) -> list[Curve]:
    """Return every learner's curve over what its trainings cost.

    Args:
        table: The run's blocks.
        spec: The completed spec.
        name: regret or score.
        at: The condition.
        points: Of the grid.
    """
    traces = {c.label: _pair(table, c.label, name, at) for c in spec.learners}
    there = {label: pair for label, pair in traces.items() if pair is not None}
    if not there:
        return []
    grid = grid_of([spent for _, spent in there.values()], points)
    return [
        _curve(table, spec, (label, name), held(values, spent, grid), grid)
        for label, (values, spent) in there.items()
    ]


def _pair(
    table: Table, label: str, name: str, at: Condition
) -> tuple[Floats, Floats] | None:
    values = table.tests(label, name, at, PER_STEP)
    spent = table.tests(label, "spent", at, PER_STEP)
    return None if values is None or spent is None else (values, spent)


def by_evaluation(
    table: Table, spec: RunSpec, name: str = "regret", at: Condition = HERE
) -> list[Curve]:
    """Return every learner's curve over its evaluations.

    The band is over what varied freely: all searches of a strategy that was never
    trained, trainings of one that was.
    """
    found = []
    for learner in spec.learners:
        values = table.tests(learner.label, name, at, PER_STEP)
        block = table.block(learner.label, "test", name, at)
        if values is not None and block is not None:
            x = np.asarray(block.positions("step"), dtype=np.float64)
            found.append(_curve(table, spec, (learner.label, name), values, x))
    return found


def _curve(
    table: Table, spec: RunSpec, named: tuple[str, str], values: Floats, x: Floats
) -> Curve:
    label, name = named
    band = level_band(name, freed(values, is_trained(table, spec, label)))
    flat = values.reshape(-1, values.shape[-1])
    gone = (~np.isfinite(flat)).sum(axis=0)
    n = int(band.n.max()) if band.n.size else 0
    return Curve(label, x, *band[:3], n=n, gone=gone, spread=quantiles(flat))


class Overhead(NamedTuple):
    """What a strategy itself takes for one evaluation, its trainings looked up.

    Args:
        learner: Its label.
        seconds: For each evaluation, over all tests in which it was timed.
        price: Mean price of an evaluation, in the space's unit.
        evaluations: How many were timed.
    """

    learner: str
    seconds: float
    price: float
    evaluations: int


def overheads(
    table: Table, timings: Sequence[Timing], labels: Iterable[str]
) -> list[Overhead]:
    """Return what each strategy takes for itself, where its tests were timed.

    Args:
        table: The run's blocks.
        timings: Of the run; those of tests are of one learner each.
        labels: The learners.
    """
    found = []
    for label in labels:
        mine = [t for t in timings if t.learner == label and t.stage.startswith("test")]
        count = _trained(table, label)
        seconds = sum(t.seconds for t in mine)
        if mine and count and seconds > 0:
            found.append(Overhead(label, seconds / count, _price(table, label), count))
    return found


def _trained(table: Table, label: str) -> int:
    """Count the evaluations of all tests: a budget may end before the horizon."""
    rows = [table.tests(label, "trained", at) for at in table.conditions()]
    return round(sum(float(row.sum()) for row in rows if row is not None))


def _price(table: Table, label: str) -> float:
    spent = table.tests(label, "spent", HERE, PER_STEP)
    trained = table.tests(label, "trained")
    if spent is None or trained is None or not trained.sum():
        return float("nan")
    return float(spent[..., -1].sum() / trained.sum())


class Recovery(NamedTuple):
    """How soon searches are back where they were before the objective changed.

    Args:
        learner: Its label.
        evaluations: Restricted mean of the evaluations that it took.
        recovered: Share of the searches that came back at all.
    """

    learner: str
    evaluations: Interval
    recovered: Interval


def recoveries(table: Table, spec: RunSpec, at: Condition = HERE) -> list[Recovery]:
    """Return how soon each learner recovers, where the objective changed."""
    found = []
    for learner in spec.learners:
        label = learner.label
        steps, back = (
            table.tests(label, name, at) for name in ("recovery_steps", "recovered")
        )
        if steps is None or back is None:
            continue
        trained = is_trained(table, spec, label)
        mean = level("recovery_steps", freed(steps, trained))
        found.append(Recovery(label, mean, level("recovered", freed(back, trained))))
    return found
