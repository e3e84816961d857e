"""What becomes of each column of a user's table: its role, and how it is used.

What is left out without being asked (columns that count the rows or give the answer
away) is said, and `keep` takes it in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.contract.errors import Refused
from engine.data.user.date_groups import shift_period
from engine.data.user.scanned_column import DISTINCT, ScannedColumn
from engine.data.user.table_reader import UserTable

Role = Literal["feature", "target", "split", "shift", "ignore"]
ALL = "all"
_ID_NAMES = frozenset(
    ("id", "index", "row name", "row", "rownames", "rowid", "no", "nr")
)
_UNUSED = "every cell is empty"


@dataclass(frozen=True)
class TableChoices:
    """What the user wants of a table; each name is that of a column.

    Args:
        target: The column to predict.
        answers: "classes" or "value".
        one_hot: Columns that become an input per value; "all" for all that are text.
        ordinal: Columns whose values become 0, 1, …; "size=small<large" gives the
            order, which is alphabetical otherwise.
        dates: Columns of dates that become days; "all" for all.
        ignore: Columns that are left out.
        keep: Columns that are used although they count the rows or give the answer
            away.
        text: Other columns that are not numbers: "refuse" or "drop".
        empty: Missing values: "refuse", "drop" their rows, or "mean".
        rare: Classes with fewer than 6 rows: "refuse" or "drop".
        join: Whether classes that look alike are one.
        split: The column that says which rows are for training, validation and test.
        shift: The column that says which rows are another distribution.
        train_on: The group of the shift column that is trained on; empty takes the
            smallest number, or the most frequent word.
        period: What groups the dates of a shift column: "year", "month" or "day";
            empty takes the first of these that has more than one group.
    """

    target: str
    answers: str = "classes"
    one_hot: tuple[str, ...] = ()
    ordinal: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    text: str = "refuse"
    empty: str = "refuse"
    rare: str = "refuse"
    join: bool = False
    split: str = ""
    shift: str = ""
    train_on: str = ""
    period: str = ""


@dataclass(frozen=True)
class ColumnPlan:
    """What becomes of a column.

    Args:
        column: The column.
        role: What it is for.
        use: How a feature is used: "number", "boolean", "date", "one-hot" or
            "ordinal"; how a shift of dates is grouped: "year", "month" or "day".
        why: Why it is left out; empty otherwise.
        order: The values of an ordinal column, or of a one-hot one.
    """

    column: ScannedColumn
    role: Role
    use: str = ""
    why: str = ""
    order: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.column.name

    def describe(self) -> str:
        """Return how the column is used, or why it is not, for people."""
        if self.role == "ignore":
            return f"left out: {self.why}"
        if self.role == "shift" and self.use:
            return f"by {self.use}"
        if self.role != "feature":
            return ""
        return {
            "number": "as it is",
            "boolean": "1 for yes, 0 for no",
            "date": "days since 1970",
            "one-hot": f"one-hot, {len(self.order)} inputs",
            "ordinal": " < ".join(self.order)[:60],
        }[self.use]


def plan_columns(table: UserTable, choices: TableChoices) -> list[ColumnPlan]:
    """Decide what becomes of each column.

    Args:
        table: The table.
        choices: What the user wants.

    Raises:
        Refused: If a name is unknown, or if some columns are no numbers and nothing
            was chosen for them.
    """
    target = table.column(choices.target)
    _check_names(table, choices)
    if choices.answers == "value" and target.odd:
        raise Refused(
            f"{target.name!r} {target.note}{_describe_odd([target])}", "missing"
        )
    orders = dict(_orders(choices.ordinal))
    plans = [_plan_column(column, choices, orders) for column in table.columns]
    open_ones = [plan for plan in plans if plan.role == "feature" and not plan.use]
    if open_ones and choices.text == "refuse":
        odd = any(plan.column.odd for plan in open_ones)
        raise Refused(_describe_unfit(open_ones), "missing" if odd else "text")
    plans = [_leave_out(p, p.column.note) if p in open_ones else p for p in plans]
    return _without_giveaways(table, choices, plans)


def _check_names(table: UserTable, choices: TableChoices) -> None:
    lists = (*choices.one_hot, *choices.dates, *choices.ignore)
    lists += tuple(text.partition("=")[0] for text in choices.ordinal)
    for name in (*lists, *choices.keep, choices.split, choices.shift):
        if name and name != ALL:
            table.column(name)
    for role in ("target", "split", "shift"):
        name = getattr(choices, role)
        if name and name in lists:
            raise Refused(
                f"{name!r} is the {role} and no feature: choose nothing else for it",
                role,
            )
    if choices.target in (choices.split, choices.shift):
        raise Refused(
            f"{choices.target!r} is the target; choose another column to split or "
            "shift by",
            "split" if choices.target == choices.split else "shift",
        )

    if choices.train_on and not choices.shift:
        raise Refused(
            f"{choices.train_on[:40]!r} is to be trained on, but no column is the "
            "shift: name it, too",
            "train_on",
        )


def _orders(ordinal: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for text in ordinal:
        name, _, order = text.partition("=")
        yield name, tuple(value.strip() for value in order.split("<") if value.strip())


def _plan_column(
    column: ScannedColumn,
    choices: TableChoices,
    orders: Mapping[str, tuple[str, ...]],
) -> ColumnPlan:
    name, kind = column.name, column.kind
    for role in ("target", "split", "shift"):
        if name == getattr(choices, role):
            use = shift_period(column, choices.period) if role == "shift" else ""
            return ColumnPlan(column, role, use)
    if name in choices.ignore:
        return _leave_out(column, "you chose so")
    if kind == "empty":
        return _leave_out(column, _UNUSED)
    worded = kind in ("text", "boolean")
    if name in choices.one_hot or (kind == "text" and ALL in choices.one_hot):
        return _plan_categories(column, "one-hot", ())
    if name in orders or (kind == "text" and ALL in orders):
        return _plan_categories(column, "ordinal", orders.get(name, ()))
    if kind == "date" and (name in choices.dates or ALL in choices.dates):
        return ColumnPlan(column, "feature", "date")
    if name in choices.dates:
        what = column.note if worded else "has numbers"
        raise Refused(f"column {name!r} {what}: it has no dates", "dates")
    use = kind if kind in ("number", "boolean") else ""
    return ColumnPlan(column, "feature", use)


def _plan_categories(
    column: ScannedColumn, use: str, order: tuple[str, ...]
) -> ColumnPlan:
    """Return the plan of a column of categories.

    Raises:
        Refused: If there are too many, or the order lacks some.
    """
    if column.distinct > DISTINCT:
        raise Refused(
            f"column {column.name!r} has more than {DISTINCT:,} different values; "
            "leave it out",
            "text",
        )
    values = column.values
    lacks = [value for value in values if order and value not in order]
    if lacks:
        raise Refused(
            f"the order of {column.name!r} lacks {lacks[0][:40]!r}; it has: "
            f"{', '.join(values[:12])}",
            "text",
        )
    return ColumnPlan(column, "feature", use, "", order or values)


def _leave_out(of: ColumnPlan | ScannedColumn, why: str) -> ColumnPlan:
    column = of.column if isinstance(of, ColumnPlan) else of
    return ColumnPlan(column, "ignore", "", why)


def _describe_unfit(plans: Sequence[ColumnPlan]) -> str:
    listed = ", ".join(f"{p.name} ({p.column.note})" for p in plans[:8])
    more = f" and {len(plans) - 8} more" if len(plans) > 8 else ""
    odd = _describe_odd([plan.column for plan in plans])
    use = "else use" if odd else "use"
    return (
        f"these columns are not numbers: {listed}{more}{odd}; {use} them one-hot or "
        "ordinal, dates as days, or leave them out"
    )


def odd_marks(columns: Sequence[ScannedColumn]) -> list[str]:
    """Return the texts among numbers that may stand for missing values."""
    return list(dict.fromkeys(mark for column in columns for mark in column.odd))


def _describe_odd(columns: Sequence[ScannedColumn]) -> str:
    marks = [repr(mark[:20]) for mark in odd_marks(columns)[:3]]
    if not marks:
        return ""
    stands, it = (
        ("stands for a missing value", "it")
        if len(marks) == 1
        else ("stand for missing values", "them")
    )
    return (
        f"; where {' and '.join(marks)} {stands}, add {it} to the further marks of "
        "missing values"
    )


def _without_giveaways(
    table: UserTable, choices: TableChoices, plans: list[ColumnPlan]
) -> list[ColumnPlan]:
    """Leave out columns that count the rows, or from which the answer can be read."""
    from engine.data.user.giveaways import find_giveaways

    mine = [p for p in plans if p.role == "feature" and p.name not in choices.keep]
    why = {p.name: "it counts the rows" for p in mine if _is_index(p, table.rows)}
    why |= find_giveaways(table, choices, [p for p in mine if p.name not in why])
    left = [p for p in plans if p.role == "feature" and p.name not in why]
    if not left:
        return plans
    return [_leave_out(p, why[p.name]) if p.name in why else p for p in plans]


def _is_index(plan: ColumnPlan, rows: int) -> bool:
    column = plan.column
    if column.count:
        return True
    different = column.distinct == rows or column.distinct > DISTINCT
    return column.name.casefold() in _ID_NAMES and different and not column.missing
