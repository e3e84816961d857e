"""The columns of a user's table that are used, written as a plain CSV."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from engine.contract.errors import Refused
from engine.data.user.cell_values import (
    boolean_number,
    date_number,
    is_chosen_mark,
    is_mark,
    plain_number,
)
from engine.data.user.csv_reader import COLUMNS
from engine.data.user.data_splits import pool_word
from engine.data.user.date_groups import date_period
from engine.data.user.table_plan import ColumnPlan, TableChoices
from engine.data.user.table_reader import UserTable, column_marks

Convert = Callable[[str], list[str]]


def write_plain_csv(
    table: UserTable,
    choices: TableChoices,
    plans: Sequence[ColumnPlan],
    groups: Sequence[Sequence[str]],
) -> bytes:
    """Return the columns that are used as a plain CSV.

    Args:
        table: The table.
        choices: What to do with it.
        plans: What becomes of each column.
        groups: Groups of classes that become one, named by the first of each.

    Raises:
        Refused: If they become too many.
    """
    kept = [plan for plan in plans if plan.role != "ignore"]
    names = [name for plan in kept for name in _column_names(plan)]
    if len(names) > COLUMNS:
        raise Refused(
            f"these choices make {len(names):,} columns; at most {COLUMNS:,} are read: "
            "use columns with many values as ordinal, or leave them out",
            "text",
        )
    joins = {text: group[0].strip() for group in groups for text in group}
    converters = [_converter(plan, table, choices, joins) for plan in kept]
    places = [table.names.index(plan.name) for plan in kept]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_different(names))
    for rows in table.pieces():
        writer.writerows(_convert_rows(rows, places, converters))
    return text.getvalue().encode()


def _convert_rows(
    rows: Sequence[Sequence[str]], places: Sequence[int], converters: Sequence[Convert]
) -> Iterator[list[str]]:
    pairs = list(zip(places, converters, strict=True))
    for row in rows:
        yield [cell for place, convert in pairs for cell in convert(row[place])]


def _column_names(plan: ColumnPlan) -> list[str]:
    if plan.use != "one-hot":
        return [plan.name]
    return [f"{plan.name[:60]}={value[:50]}" for value in plan.order]


def _different(names: Sequence[str]) -> list[str]:
    """Return names that differ even where a long one was cut."""
    found: list[str] = []
    for name in names:
        plain = "".join(c for c in name if c.isprintable()).strip()
        found.append(plain if plain not in found else f"{plain} #{len(found)}")
    return found


def _converter(
    plan: ColumnPlan,
    table: UserTable,
    choices: TableChoices,
    joins: dict[str, str],
) -> Convert:
    """Return what turns a cell of a column into the cells of the plain file."""
    column = plan.column
    own = column_marks(plan.name, table.options.missing)
    if plan.role == "target" and choices.answers == "classes":
        return lambda cell: [
            ""
            if not cell.strip() or is_chosen_mark(cell, own)
            else joins.get(cell, cell)
        ]
    if plan.role == "split":
        return lambda cell: [pool_word(cell)]
    marks = frozenset(mark.casefold() for mark in column.marks) | own | {""}
    if plan.role == "shift" and plan.use:
        days, period = column.days_first, plan.use
        return lambda cell: [
            ""
            if is_mark(cell, marks)
            else date_period(float(date_number(cell, days) or 0), period)
        ]
    if plan.role == "shift" and column.kind != "number":
        return lambda cell: ["" if is_mark(cell, marks) else cell.strip()]
    convert = _value_converter(plan)
    gap = [""] * len(_column_names(plan))
    return lambda cell: gap if is_mark(cell, marks) else convert(cell)


def _value_converter(plan: ColumnPlan) -> Convert:
    column = plan.column
    if plan.use == "boolean":
        return lambda cell: [boolean_number(cell)]
    if plan.use == "date":
        first = column.days_first
        return lambda cell: [date_number(cell, first) or ""]
    if plan.use in ("one-hot", "ordinal"):
        rank = {value: place for place, value in enumerate(plan.order)}
        if plan.use == "ordinal":
            return lambda cell: [str(rank[cell.strip()])]
        rows = [["0"] * len(rank) for _ in rank]
        for place, row in enumerate(rows):
            row[place] = "1"
        return lambda cell: rows[rank[cell.strip()]]
    return lambda cell: [plain_number(cell, column.form)]
