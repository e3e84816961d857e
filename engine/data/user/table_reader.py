"""Reader of the user's tables as they are, with any separator and any marks.

What is read is described; nothing is changed until the user has chosen what to do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from engine.contract.errors import Refused
from engine.data.sources.checksums import sha256
from engine.data.user.column_scan import ColumnScan
from engine.data.user.columns import find_column
from engine.data.user.csv_reader import LIMIT
from engine.data.user.csv_store import PIECE, path_bytes
from engine.data.user.scanned_column import ScannedColumn
from engine.data.user.table_layout import SEPARATORS, Header, find_layout
from engine.data.user.table_rows import TOTALS, LeftOut, TableRows, find_rows


class ReadOptions(NamedTuple):
    """How a file is read.

    Args:
        header: Whether the first line has names or data; "auto" judges.
        missing: Further marks of missing values, such as "-999"; "NAME=MARK" is only
            for one column.
        all_rows: Whether a row of totals is kept.
        encoding: One of `table_text.ENCODINGS`; empty judges.
    """

    header: Header = "auto"
    missing: tuple[str, ...] = ()
    all_rows: bool = False
    encoding: str = ""


@dataclass(frozen=True, eq=False)
class UserTable:
    """A table that was read, and nothing changed in it.

    Args:
        digest: SHA-256 of the file's bytes.
        columns: Summary of each column.
        rows: Number of rows.
        remarks: Remarks for the user, one sentence each.
        source: Where the rows are.
        options: How it was read.
        data: The file's bytes.
    """

    digest: str
    columns: tuple[ScannedColumn, ...]
    rows: int
    remarks: tuple[str, ...]
    source: TableRows = field(repr=False)
    options: ReadOptions
    data: bytes = field(repr=False)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> ScannedColumn:
        """Return the column of that name.

        Raises:
            Refused: If there is none; the message lists the columns.
        """
        return find_column(self.columns, name)

    def pieces(self) -> Iterator[list[list[str]]]:
        """Yield the rows, some at a time; the cells are those of `columns`."""
        at = [self.source.names.index(name) for name in self.names]
        whole = at == list(range(len(self.source.names)))
        found = self.source.read()
        while piece := list(islice(found, PIECE)):
            rows = [record.cells for record in piece]
            yield rows if whole else [[cells[i] for i in at] for cells in rows]

    def preview(self, count: int = 5) -> list[list[str]]:
        """Return the first rows as texts."""
        return next(self.pieces())[:count]


def read_table(
    data: bytes, options: ReadOptions | None = None, limit: int = LIMIT
) -> UserTable:
    """Read a table of the user.

    Args:
        data: The file's bytes.
        options: How to read it.
        limit: The most bytes that a file may have.

    Raises:
        Refused: If anything is wrong; the sentence names the line or the column.
    """
    options = options or ReadOptions()
    layout = find_layout(data, options.header, limit, options.encoding)
    source = find_rows(layout)
    _check_marks(options.missing, source.names)
    scans = [
        ColumnScan(name, column_marks(name, options.missing)) for name in source.names
    ]
    told = LeftOut()
    total, skip = _scan_rows(source, scans, told, options.all_rows)
    if skip:
        source = replace(source, skip=skip)
        told.totals.append(skip)
    commas = any(scan.has_decimal_commas for scan in scans)
    # Where commas part columns, 1,234 is in quotes and is more likely a thousand.
    if layout.separator != ",":
        commas = commas or any(scan.may_have_decimal_commas for scan in scans)
    columns = [scan.column(commas) for scan in scans]
    kept = [
        c for c in columns if not (c.kind == "empty" and c.name.startswith("column "))
    ]
    remarks = (
        *layout.remarks,
        *_layout_remarks(layout.separator, layout.titles),
        *source.remarks,
        *told.remarks(),
    )
    return UserTable(
        sha256(data), tuple(kept), total, tuple(remarks), source, options, data
    )


def read_table_path(path: Path, options: ReadOptions | None = None) -> UserTable:
    """Read a table named on the command line.

    Args:
        path: The file.
        options: How to read it.

    Raises:
        Refused: If it cannot be read, or its contents are invalid.
    """
    return read_table(path_bytes(path, LIMIT), options)


def _check_marks(missing: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a mark of missing values of a column that is not there."""
    for mark in missing:
        if "=" in mark and not any(mark.startswith(f"{name}=") for name in names):
            raise Refused(
                f"{mark[:40]!r} names a column for a mark of missing values, and there "
                f"is none called {mark.partition('=')[0][:40]!r}",
                "missing",
            )


def column_marks(name: str, missing: Sequence[str]) -> frozenset[str]:
    """Return the further marks of missing values of a column, in lower case.

    >>> sorted(column_marks("age", ("-999", "age=0", "size=none")))
    ['-999', '0']
    """
    own = [m[len(name) + 1 :] for m in missing if m.startswith(f"{name}=")]
    everywhere = [mark for mark in missing if "=" not in mark]
    return frozenset(mark.strip().casefold() for mark in (*own, *everywhere))


def _scan_rows(
    source: TableRows, scans: Sequence[ColumnScan], told: LeftOut, all_rows: bool
) -> tuple[int, int]:
    """Scan all rows; return their number, and the line of a row of totals, or 0."""
    total, found = 0, source.read(told)
    piece = list(islice(found, PIECE))
    while piece:
        following = list(islice(found, PIECE))
        last = None if following else piece.pop()
        if piece:
            lines = [record.line for record in piece]
            columns = zip(*(record.cells for record in piece), strict=True)
            for scan, cells in zip(scans, columns, strict=True):
                scan.add_cells(cells, lines)
            total += len(piece)
        if last is not None:
            if not all_rows and _is_total(last.cells, scans, total):
                return total, last.line
            for scan, cell in zip(scans, last.cells, strict=True):
                scan.add_cells([cell], [last.line])
            total += 1
        piece = following
    return total, 0


def _is_total(cells: Sequence[str], scans: Sequence[ColumnScan], rows: int) -> bool:
    """Return whether the last row is one of totals: its name occurs nowhere above."""
    for cell, scan in zip(cells, scans, strict=True):
        word = cell.strip()
        if word.casefold() in TOTALS and rows > 2:
            return not any(text.strip().casefold() in TOTALS for text in scan.texts)
    return False


def _layout_remarks(separator: str, titles: int) -> Iterator[str]:
    if separator != ",":
        yield f"columns are separated by {SEPARATORS[separator]}"
    if titles:
        noun = (
            "line above the header is" if titles == 1 else "lines above the header are"
        )
        yield f"{titles} {noun} left out"
