"""Type inference for the columns of a CSV file: numbers, text, dates, or empty."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from engine.contract.errors import Refused

# Stricter than float(), which also reads 1_000, nan and digits of other scripts.
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
ENDLESS = re.compile(r"[+-]?(?:inf|infinity)", re.ASCII | re.IGNORECASE)
GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*", re.ASCII
)
_PLAIN = frozenset("0123456789.+-eE ")
DISTINCT, SHOWN = 1000, 5  # texts counted, and texts shown, per column
NAMES = 20  # that a refusal lists


class Named(Protocol):
    """Anything that has a name, as a column does."""

    @property
    def name(self) -> str:
        """The name."""


N = TypeVar("N", bound=Named)


def parse_number(cell: str) -> float | None:
    """Return the number in a cell; None if it is not a plain decimal number.

    >>> (parse_number(" 1.5e3 "), parse_number("1_000"), parse_number("1,5"),
    ...  parse_number("nan"))
    (1500.0, None, None, None)
    """
    cell = cell.strip(" ")
    return float(cell) if NUMBER.fullmatch(cell) else None


@dataclass(frozen=True)
class Column:
    """Summary of a column.

    Args:
        name: From the header, without invisible characters.
        kind: "number" if every cell that is not empty is one; "text"; "empty".
        empty: Number of empty cells.
        distinct: Number of distinct texts, counted up to 1,001.
        constant: Whether all cells are the same.
        low: Smallest number of a column of numbers, else None.
        high: Largest number of a column of numbers, else None.
        examples: The first few distinct texts.
        note: A remark for the user; may be empty.
    """

    name: str
    kind: str
    empty: int
    distinct: int
    constant: bool
    low: float | None
    high: float | None
    examples: tuple[str, ...]
    note: str = ""


@dataclass
class ColumnTally:
    """Running summary of a column, whose cells are added in pieces."""

    name: str
    empty: int = 0
    numbers: int = 0
    texts: int = 0
    low: float = math.inf
    high: float = -math.inf
    seen: dict[str, None] = field(default_factory=dict)
    infinite_cell: str = ""
    grouped_cell: str = ""
    text_cell: str = ""

    def add_cells(self, cells: Sequence[str], lines: Sequence[int]) -> None:
        """Add the cells that are on these lines of the file."""
        if len(self.seen) <= DISTINCT:
            self.seen |= dict.fromkeys(cells)
        # The fast path: most columns are plain numbers throughout.
        if frozenset("".join(cells)) <= _PLAIN and self._add_if_finite(cells):
            return
        for cell, line in zip(cells, lines, strict=True):
            self._add_cell(cell, line)

    def _add_if_finite(self, cells: Sequence[str]) -> bool:
        """Add cells if all are finite numbers; return whether they were."""
        try:
            values = list(map(float, cells))
        except ValueError:
            return False
        low, high = min(values), max(values)
        if not (math.isfinite(low) and math.isfinite(high)):
            return False
        self.numbers += len(values)
        self.low, self.high = min(self.low, low), max(self.high, high)
        return True

    def _add_cell(self, cell: str, line: int) -> None:
        plain = cell.strip(" ")
        value = parse_number(plain)
        if not plain:
            self.empty += 1
        elif value is not None and math.isfinite(value):
            self.numbers += 1
            self.low, self.high = min(self.low, value), max(self.high, value)
        elif value is not None or ENDLESS.fullmatch(plain):
            self.infinite_cell = self.infinite_cell or f"line {line} has {plain[:20]!r}"
        else:
            self.texts += 1
            self.text_cell = self.text_cell or f"line {line} has {plain[:20]!r}"
            if GROUPED.fullmatch(plain):
                self.grouped_cell = self.grouped_cell or plain[:20]

    def column(self) -> Column:
        """Return the summary of all cells.

        Raises:
            Refused: If a column of numbers has one that is not finite.
        """
        if self.infinite_cell and not self.texts:
            raise Refused(
                f"column {self.name!r}: {self.infinite_cell}, which is not a "
                "finite number",
                self.name,
            )
        plain = self.numbers > 0 and not self.texts
        kind = (
            "number"
            if plain
            else "text"
            if self.texts or self.infinite_cell
            else "empty"
        )
        different = [text for text in self.seen if text.strip(" ")]
        return Column(
            name=self.name,
            kind=kind,
            empty=self.empty,
            distinct=min(len(different), DISTINCT + 1),
            constant=len(self.seen) == 1 or (plain and self.low == self.high),
            low=self.low if plain else None,
            high=self.high if plain else None,
            examples=tuple(different[:SHOWN]),
            note=self._note(kind),
        )

    def _note(self, kind: str) -> str:
        if kind == "empty":
            return "every cell is empty"
        if kind == "number":
            return "every cell is the same" if self.low == self.high else ""
        if self.grouped_cell:
            return f"has thousands separators, such as {self.grouped_cell!r}"
        texts = [text for text in self.seen if text.strip(" ")]
        if texts and all(DATE.fullmatch(text.strip(" ")) for text in texts):
            return "holds dates, which cannot be inputs"
        if self.numbers:
            return f"is not all numbers: {self.text_cell}"
        return "holds text"


def find_column(columns: Sequence[N], name: str) -> N:
    """Return the column of that name.

    Args:
        columns: The columns of a file.
        name: The name that is asked for.

    Raises:
        Refused: If there is none; the message lists the columns.
    """
    for column in columns:
        if column.name == name:
            return column
    names = ", ".join(column.name for column in columns[:NAMES])
    more = ", …" if len(columns) > NAMES else ""
    raise Refused(
        f"this file has no column {name[:40]!r}; it has: {names}{more}", "target"
    )
