"""Dates as a shift: grouped by year, month or day."""

from datetime import date

from engine.contract.errors import Refused
from engine.data.user.cell_values import EPOCH, date_number
from engine.data.user.scanned_column import ScannedColumn

PERIODS = ("year", "month", "day")


def date_period(days: float, period: str) -> str:
    """Return the year, month or day of a date, as text whose order is that of time.

    Args:
        days: Days since 1970-01-01.
        period: One of `PERIODS`.

    >>> [date_period(31, period) for period in PERIODS]
    ['1970', '1970-02', '1970-02-01']
    """
    text = date.fromordinal(EPOCH + int(days // 1)).isoformat()
    return text[: {"year": 4, "month": 7, "day": 10}[period]]


def shift_period(column: ScannedColumn, chosen: str) -> str:
    """Return what groups the dates of a shift column; empty if it has no dates.

    Args:
        column: The column.
        chosen: One of `PERIODS`; empty takes the first that has more than one group.

    Raises:
        Refused: If it is none of them, or the column has no dates.
    """
    if chosen and (column.kind != "date" or chosen not in PERIODS):
        told = f"{column.name!r} has no dates" if column.kind != "date" else ""
        raise Refused(
            f"the period {chosen[:40]!r} cannot be used"
            + (f": {told}; leave it out" if told else "; use year, month or day"),
            "period",
        )
    if column.kind != "date":
        return ""
    found = (p for p in PERIODS if chosen in ("", p) and len(_periods(column, p)) > 1)
    return next(found, chosen or PERIODS[-1])


def shift_groups(column: ScannedColumn, period: str = "") -> tuple[str, ...]:
    """Return the groups of a shift column, in order.

    Args:
        column: The column.
        period: As in `TableChoices`.

    Raises:
        Refused: As `shift_period`.
    """
    used = shift_period(column, period)
    return tuple(sorted(_periods(column, used))) if used else column.values


def _periods(column: ScannedColumn, period: str) -> set[str]:
    first = column.days_first
    days = (date_number(text.strip(), first) for text in column.texts)
    return {date_period(float(number), period) for number in days if number}
