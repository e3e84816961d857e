"""Strict CSV reader: from bytes to records, so that no column shifts silently.

Errors are refused in one sentence that names the line.
"""

import csv
import io
from collections.abc import Iterator

from engine.contract.errors import Refused
from engine.contract.text_decoding import as_utf8, clean
from engine.data.user.columns import parse_number

LIMIT = 100_000_000
ROWS, COLUMNS, CELL = 200_000, 1_000, csv.field_size_limit()

# Magic numbers of files that users upload by mistake.
_OTHER_FILES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF89a": "a GIF image",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"PK\x05\x06": "a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "a zstandard archive",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x93NUMPY": "a numpy file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a SQLite database",
    b"\x7fELF": "a program",
}
_PICKLES = tuple(bytes([0x80, version]) for version in range(2, 6))


def text_bytes(data: bytes, limit: int = LIMIT) -> bytes:
    """Return a text file's bytes in UTF-8.

    Args:
        data: The file's bytes.
        limit: The most bytes that it may have.

    Raises:
        Refused: If it is empty, too long, or not text; the sentence says what it is.
    """
    if not data:
        raise Refused("this file is empty")
    if len(data) > limit:
        raise Refused(f"this file has {len(data):,} bytes; at most {limit:,} are read")
    data = as_utf8(data)
    for magic, what in _OTHER_FILES.items():
        # A header may begin with letters such as PAR1; but text has no NUL bytes.
        sure = not magic.decode("latin-1").isprintable() or b"\x00" in data
        if sure and data.startswith(magic):
            raise Refused(f"this file is {what}, not a CSV file; save it as CSV, UTF-8")
    if data.startswith(_PICKLES):
        raise Refused("this file is a Python pickle, which is never read")
    if (at := data.find(b"\x00")) >= 0:
        line = data.count(b"\n", 0, at) + 1
        raise Refused(f"line {line} has a NUL byte: this is not UTF-8 text")
    return data


def read_header(data: bytes) -> list[str]:
    """Return the column names from the first line.

    Args:
        data: UTF-8 text, from `text_bytes`.

    Raises:
        Refused: If names are missing, empty, duplicate or too many.
    """
    names = [clean(name) for name in next(_records(data), (1, []))[1]]
    if len(names) > COLUMNS:
        raise Refused(
            f"this file has {len(names):,} columns; at most {COLUMNS:,} are read: "
            "save it with fewer"
        )
    if len(names) < 2:
        raise Refused(_describe_one_column(data))
    for place, name in enumerate(names):
        if not name:
            raise Refused(f"column {place + 1} has no name in the first line")
        if name in names[:place]:
            first = names.index(name) + 1
            raise Refused(f"columns {first} and {place + 1} are both called {name!r}")
    if all(parse_number(name) is not None for name in names):
        raise Refused("the first line has only numbers; it must name the columns")
    return names


def read_rows(data: bytes, names: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line that it ends on; empty lines are skipped.

    Args:
        data: UTF-8 text, from `text_bytes`.
        names: The column names.

    Raises:
        Refused: If a row is too long or too short, or there are too many.
    """
    count = 0
    records = _records(data)
    next(records, None)
    for line, cells in records:
        if len(cells) != len(names):
            raise Refused(_describe_uneven_row(line, cells, names))
        count += 1
        if count > ROWS:
            raise Refused(
                f"this file has more than {ROWS:,} rows, the most that is read"
            )
        yield line, cells
    if not count:
        raise Refused("this file has a first line with names, but no rows")


def _records(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) for every record that is not empty."""
    # newline="" leaves line breaks within quoted cells to the csv module.
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    last = 0
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
            last = reader.line_num
    except UnicodeDecodeError:
        raise Refused(_describe_decode_error(data)) from None
    except csv.Error as error:
        raise Refused(describe_csv_error(str(error), last + 1)) from None


def describe_csv_error(reason: str, line: int) -> str:
    """Return a sentence for an error of the csv module.

    Args:
        reason: Its message.
        line: The line that the record begins on.
    """
    if "unexpected end of data" in reason:
        return f"line {line}: a quoted cell is never closed"
    if "field larger" in reason:
        return (
            f"line {line}: a cell is longer than {CELL:,} characters; is a quote not "
            "closed?"
        )
    return f"line {line} is not CSV: {reason[:80]}"


def _describe_decode_error(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"line {line} is not UTF-8 text; save the file as UTF-8"
    return "this file is not UTF-8 text"


def _describe_one_column(data: bytes) -> str:
    first = data.split(b"\n", 1)[0]
    for mark, name in ((b";", "semicolons"), (b"\t", "tabs"), (b"|", "bars")):
        if mark in first:
            return (
                f"the columns of this file are separated by {name}; save it with "
                "commas between columns and decimal points"
            )
    return "this file has one column; at least two are needed, one of them the target"


def _describe_uneven_row(line: int, cells: list[str], names: list[str]) -> str:
    noun = "cell" if len(cells) == 1 else "cells"
    text = f"line {line} has {len(cells)} {noun}, but the first line names {len(names)}"
    if len(cells) == len(names) + 1 and not cells[-1]:
        return f"{text}: it ends with a comma"
    return f"{text}: a cell is missing, or a comma is not quoted"
