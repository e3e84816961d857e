"""The rows of a user's table: what is no row is left out, and counted.

Blank rows, comments, and remarks below the table are left out; a row of another length
is refused, so that no column shifts silently.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.user.cell_values import NUMBER_MARKS
from engine.data.user.columns import parse_number
from engine.data.user.csv_reader import COLUMNS, ROWS
from engine.data.user.table_layout import SEPARATORS, Layout, Record
from engine.data.user.wording import are

_TOTALS = """
total totals total: sum sums subtotal overall mean average
gesamt summe totale somme suma
"""
TOTALS = frozenset(("grand total", *_TOTALS.split()))
UNITS_LEAST = 6  # rows, below which a row of units is not told from data
FOOTERS = 20  # at most so many remarks below the table
_SEEN = 50


@dataclass
class LeftOut:
    """Numbers of records that are no rows, and the lines of some."""

    blank: int = 0
    comments: int = 0
    footers: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)

    def remarks(self) -> Iterator[str]:
        """Yield a remark for each kind of record that was left out."""
        if self.blank:
            yield f"{are(self.blank, 'blank row')} left out"
        if self.comments:
            yield f"{are(self.comments, 'comment')} left out"
        if self.footers:
            lines = _span(self.footers)
            yield f"remarks below the table are left out: {lines}"
        if self.totals:
            yield f"a row of totals is left out: {_span(self.totals)}"


def _span(lines: Sequence[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]}"
    return f"lines {lines[0]} to {lines[-1]}"


@dataclass(frozen=True)
class TableRows:
    """The rows below a header.

    Args:
        layout: Where they are.
        names: The column names, as many as a row has cells.
        remarks: What was done about the names, one sentence each.
        skip: Line of a row of totals, which is left out; 0 for none.
        units: Line of a row of units below the header, which is left out; 0 for none.
    """

    layout: Layout
    names: tuple[str, ...]
    remarks: tuple[str, ...]
    skip: int = 0
    units: int = 0

    def read(self, left_out: LeftOut | None = None) -> Iterator[Record]:
        """Yield each row.

        Args:
            left_out: Counts what is no row.

        Raises:
            Refused: If a row is too long or too short, or there are too many.
        """
        count, told = 0, LeftOut() if left_out is None else left_out
        ending: list[Record] = []
        records = self.layout.records()
        if self.layout.header:
            next(records, None)
        for record in records:
            filled = sum(bool(cell.strip()) for cell in record.cells)
            if not filled:
                told.blank += 1
                continue
            cells = self._fit(record.cells)
            if cells is None and _is_remark(record):
                told.comments += 1
                continue
            if filled == 1 and (cells is None or len(self.names) > 3):
                ending.append(record)
                continue
            if ending or cells is None:
                yield from self._flush(ending, told)
                if cells is None:
                    raise Refused(self._describe(record))
            if record.line == self.units:
                continue
            count += 1
            if count > ROWS:
                raise Refused(
                    f"this file has more than {ROWS:,} rows, the most that is read"
                )
            if record.line == self.skip:
                told.totals.append(record.line)
            else:
                yield Record(record.line, cells)
        if len(ending) > FOOTERS:
            raise Refused(self._describe(ending[0]))
        told.footers += [record.line for record in ending]
        if not count:
            raise Refused("this file has a first line with names, but no rows")

    def _flush(self, ending: list[Record], told: LeftOut) -> Iterator[Record]:
        """Yield records that were held back as remarks, but have rows below them."""
        for record in ending:
            cells = self._fit(record.cells)
            if cells is None:
                raise Refused(self._describe(record))
            yield Record(record.line, cells)
        ending.clear()

    def _fit(self, cells: list[str]) -> list[str] | None:
        """Return as many cells as there are names; None if that is not possible."""
        width = len(self.names)
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            return cells[:width]
        return cells if len(cells) == width else None

    def _describe(self, record: Record) -> str:
        line, cells, names = record.line, record.cells, self.names
        mark = SEPARATORS[self.layout.separator].removesuffix("s")
        noun = "cell" if len(cells) == 1 else "cells"
        return (
            f"line {line} has {len(cells)} {noun}, but there are {len(names)} columns: "
            f"a cell is missing, or a {mark} is not quoted"
        )


def _is_remark(record: Record) -> bool:
    return record.cells[0].lstrip().startswith("#")


def find_rows(layout: Layout) -> TableRows:
    """Return the rows of a file, with a unique name for each column.

    Args:
        layout: The layout of the file.

    Raises:
        Refused: If there are too many columns.
    """
    start = list(islice(layout.records(), _SEEN))
    first, below = start[0].cells, start[1:] if layout.header else start
    width, remarks = _row_width(first if layout.header else [], layout.width, below)
    if width > COLUMNS:
        raise Refused(
            f"this file has {width:,} columns; at most {COLUMNS:,} are read: save it "
            "with fewer"
        )
    if not layout.header:
        names = [f"column {place + 1}" for place in range(width)]
        remarks = ["the first line has data: the columns are called column 1, column 2"]
    else:
        given = [clean(cell).removeprefix("#").strip() for cell in first[:width]]
        if len(given) == width - 1:
            given = ["row name", *given]
            remarks = ["the first column has no name; it is called 'row name'"]
        names, more = _unique_names(given)
        remarks += more
    units = _units_line(below) if layout.header else 0
    if units:
        remarks.append(f"line {units} has units and is left out")
    return TableRows(layout, tuple(names), tuple(remarks), units=units)


def _units_line(below: Sequence[Record]) -> int:
    """Return the line of the first row if it has words where others have numbers."""
    if len(below) < UNITS_LEAST:
        return 0
    first, others = below[0], below[1:]
    words = 0
    for at, cell in enumerate(first.cells):
        cells = [r.cells[at].strip() for r in others if len(r.cells) > at]
        numbers = sum(parse_number(c.replace(",", ".")) is not None for c in cells if c)
        numeric = numbers > 0 and numbers == sum(map(bool, cells))
        if numeric and parse_number(cell.strip().replace(",", ".")) is not None:
            return 0
        plain = cell.strip().casefold()
        words += numeric and bool(plain) and plain not in NUMBER_MARKS
    return first.line if words and not any(c.isdigit() for c in first.cells[0]) else 0


def _row_width(
    header: Sequence[str], usual: int, below: Sequence[Record]
) -> tuple[int, list[str]]:
    """Return the number of columns, without those that only a last separator makes."""
    if not header or len(header) == usual:
        return usual, []
    rest = [r.cells[len(header) :] for r in below if len(r.cells) == usual]
    if len(header) < usual and not any(c.strip() for cells in rest for c in cells):
        return len(header), ["rows end with a separator; no column is made of that"]
    if len(header) == usual - 1:
        return usual, []
    return len(header), []


def _unique_names(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return names that are there once, and remarks on those that were changed."""
    names: list[str] = []
    remarks = []
    for place, name in enumerate(given):
        plain, number = name or f"column {place + 1}", 2
        found = plain
        while found in names:
            found, number = f"{plain[:100]} ({number})", number + 1
        if name and found != name:
            remarks.append(f"two columns are called {name!r}; one is now {found!r}")
        names.append(found)
    if all(parse_number(name) is not None for name in names):
        names = [f"column {name}" for name in names]
    return names, remarks
