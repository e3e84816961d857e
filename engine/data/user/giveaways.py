"""Columns that give the answer away: codes of the classes, or the value once more."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.data.user.cell_values import plain_number
from engine.data.user.columns import parse_number

if TYPE_CHECKING:
    from engine.data.user.table_plan import ColumnPlan, TableChoices
    from engine.data.user.table_reader import UserTable

LEAST = 20  # rows, below which a perfect match may be chance
CLASSES = 100
SAME = 1e-9  # largest share of unexplained variance of a copy of the value


def find_giveaways(
    table: "UserTable", choices: "TableChoices", plans: Sequence["ColumnPlan"]
) -> dict[str, str]:
    """Return the features from which the answer can be read, with the reason.

    Args:
        table: The table.
        choices: The target, and whether it has classes or values.
        plans: The features.
    """
    if table.rows < LEAST:
        return {}
    if choices.answers == "value":
        return dict(_copies(table, choices.target, plans))
    return dict(_codes(table, choices.target, plans))


def _codes(
    table: "UserTable", target: str, plans: Sequence["ColumnPlan"]
) -> Iterator[tuple[str, str]]:
    """Yield features with as many values as there are classes, one for each."""
    classes = table.column(target).distinct
    mine = [p for p in plans if 2 <= p.column.distinct == classes <= CLASSES]
    answer = table.names.index(target)
    pairs: dict[str, dict[str, str]] = {plan.name: {} for plan in mine}
    places = {plan.name: table.names.index(plan.name) for plan in mine}
    for rows in table.pieces() if mine else ():
        for name in list(pairs):
            seen, at = pairs[name], places[name]
            if any(seen.setdefault(r[at], r[answer]) != r[answer] for r in rows):
                del pairs[name]
    for name in pairs:
        yield name, f"it gives {target!r} away: one value for each class"


def _copies(
    table: "UserTable", target: str, plans: Sequence["ColumnPlan"]
) -> Iterator[tuple[str, str]]:
    """Yield features that are the target times a factor, plus a constant."""
    mine = [p for p in plans if p.use == "number"]
    columns = [table.column(target), *(plan.column for plan in mine)]
    if columns[0].kind != "number" or not mine:
        return
    at = [table.names.index(column.name) for column in columns]
    sums = np.zeros((6, len(mine)))
    start: np.ndarray | None = None
    for rows in table.pieces():
        values = np.array(
            [
                [_value(row[i], c.form) for i, c in zip(at, columns, strict=True)]
                for row in rows
            ]
        )
        if start is None:
            start = np.nan_to_num(values[0])
        with np.errstate(over="ignore", invalid="ignore"):
            sums += _moments(values - start)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        n, sx, sy, sxx, syy, sxy = sums
        square = (n * sxy - sx * sy) ** 2
        rest = 1 - square / ((n * sxx - sx**2) * (n * syy - sy**2))
    for plan, share, count in zip(mine, rest, n, strict=True):
        if count >= LEAST and math.isfinite(share) and abs(share) < SAME:
            yield plan.name, f"it gives {target!r} away: it is the same value, rescaled"


def _value(cell: str, form: str) -> float:
    number = parse_number(plain_number(cell, form))
    return math.nan if number is None else number


def _moments(values: np.ndarray) -> np.ndarray:
    """Return n, Σx, Σy, Σx², Σy², Σxy of each feature with the target, column 0."""
    y, x = values[:, :1], values[:, 1:]
    there = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(there, x, 0.0), np.where(there, y, 0.0)
    return np.stack(
        [
            there.sum(0),
            x.sum(0),
            y.sum(0),
            (x * x).sum(0),
            (y * y).sum(0),
            (x * y).sum(0),
        ]
    )
