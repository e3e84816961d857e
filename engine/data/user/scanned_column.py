"""Summary of a column of a user's table: what it holds, in numbers and words."""

from dataclasses import dataclass

from engine.data.user.cell_values import day_first
from engine.data.user.columns import parse_number

DISTINCT, SHOWN = 1000, 5  # texts counted, and texts shown, per column
KINDS = ("number", "boolean", "date", "text", "empty")


@dataclass(frozen=True)
class ScannedColumn:
    """Summary of a column.

    Args:
        name: From the header, unique in the file.
        kind: "number", "boolean", "date", "text" or "empty".
        form: For numbers, how they are written; see `cell_values.FORMS`.
        missing: Number of cells without a value: empty ones and marks.
        marks: The marks among them, with their number; "" for empty cells.
        distinct: Number of distinct texts, counted up to 1,001.
        texts: The distinct texts that are values, with their number; where there are
            more than 1,000, those of the first rows.
        low: Smallest number, else None.
        high: Largest number, else None.
        count: Whether the cells count the rows, from 0 or 1.
        note: A remark for the user; may be empty.
        odd: The texts that keep a column from being numbers, where they are few: each
            may be a mark of a missing value.
    """

    name: str
    kind: str
    form: str
    missing: int
    marks: dict[str, int]
    distinct: int
    texts: dict[str, int]
    low: float | None
    high: float | None
    count: bool
    note: str = ""
    odd: tuple[str, ...] = ()

    @property
    def examples(self) -> tuple[str, ...]:
        """The first few distinct texts that are values."""
        return tuple(text.strip() for text in list(self.texts)[:SHOWN])

    @property
    def values(self) -> tuple[str, ...]:
        """The distinct texts that are values: numbers by size, then the others."""
        return tuple(sorted({text.strip() for text in self.texts}, key=_natural_key))

    @property
    def days_first(self) -> bool:
        """Whether dates have the day before the month."""
        return day_first(self.texts)


def _natural_key(text: str) -> tuple[float, str]:
    number = parse_number(text)
    return (float("inf") if number is None else number, text)
