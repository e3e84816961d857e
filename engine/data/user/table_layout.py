"""How a table lies in its file: encoding, separator, title rows, and the header.

Judged from the first records; nothing is guessed where two readings are likely.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.user.columns import parse_number
from engine.data.user.csv_reader import LIMIT, describe_csv_error
from engine.data.user.table_text import decode_table

Header = Literal["auto", "names", "data"]
SEPARATORS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    " ": "blanks",
}
LOOK = 200  # first records, from which the layout is judged
_SAMPLE = 2_000_000  # characters that these may have
TITLES = 30  # at most so many records above the header
_MOSTLY = 0.6
_SEEN = 50
_SURE = 0.95


class Record(NamedTuple):
    """One record of a file, with the line that it ends on."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Layout:
    """Where the names and the rows of a file are.

    Args:
        separator: What separates columns.
        first: Line of the header, or of the first row where there is none.
        header: Whether the first record names the columns.
        width: Number of cells of a row.
        titles: Number of records above the header, which are left out.
        remarks: What was done to read the bytes, one sentence each.
        text: The whole text.
        guess: The encoding that is guessed; empty where the bytes or the user say it.
    """

    separator: str
    first: int
    header: bool
    width: int
    titles: int
    remarks: tuple[str, ...]
    text: str
    guess: str = ""

    def records(self) -> Iterator[Record]:
        """Yield the header, if there is one, and everything below it.

        Raises:
            Refused: If a record is malformed; the line is named.
        """
        found = read_records(self.text, self.separator)
        return (record for record in found if record.line >= self.first)


def find_layout(
    data: bytes, header: Header = "auto", limit: int = LIMIT, encoding: str = ""
) -> Layout:
    """Judge the layout of a file.

    Args:
        data: The file's bytes.
        header: Whether the first record has names or data; "auto" judges.
        limit: The most bytes that it may have.
        encoding: One of `table_text.ENCODINGS`; empty judges.

    Raises:
        Refused: If it is no table, or if it may have a header or not.
    """
    text, remarks, guess = decode_table(data, limit, encoding)
    given = _given_separator(text)
    separator = given or _find_separator(text)
    start = _sample(text, separator)
    if given:
        start = start[1:]
    width = _usual_width([r for r in start if not _is_comment(r)])
    if width < 2:
        raise Refused(
            "this file has one column; at least two are needed, one of them the target"
        )
    at = _find_header(start, width)
    named = header != "data" and (header == "names" or _has_names(start[at:]))
    first, titles = start[at].line, at
    return Layout(separator, first, named, width, titles, remarks, text, guess)


def _given_separator(text: str) -> str:
    """Return the separator of a first line such as "sep=;", which Excel writes."""
    first = text[:20].splitlines()[0].strip().strip('"') if text.strip() else ""
    mark = first[4:] if first[:4].lower() == "sep=" else ""
    if first.lower().startswith("sep=") and text[:5].lower() == "sep=\t":
        mark = "\t"
    return mark if mark in SEPARATORS else ""


def _find_separator(text: str) -> str:
    """Return the separator under which most records have the same number of cells."""
    best, found = (0.0, 0, 0), ","
    for rank, separator in enumerate(SEPARATORS):
        start = [r for r in _sample(text, separator) if not _is_comment(r)]
        width = _usual_width(start)
        if width < 2:
            continue
        share = sum(len(r.cells) == width for r in start) / len(start)
        # Blanks are in every sentence: they separate only where nothing else does.
        score = (share if separator != " " else share - 0.5, width, -rank)
        if score > best:
            best, found = score, separator
        if separator == " " and found == "\t" and best[1] == 2 and share > _SURE:
            # One tab before the last column, as in files of the UCI repository.
            found = " " if width > 3 else found
    return found


def _sample(text: str, separator: str) -> list[Record]:
    """Return the first records that have a cell with something in it.

    Raises:
        Refused: If a quote is not closed or is misplaced.
    """
    found = []
    try:
        for record in read_records(text[:_SAMPLE], separator):
            if any(cell.strip() for cell in record.cells):
                found.append(record)
            if len(found) == LOOK:
                break
    except Refused:
        if not found:
            return []
    return found


def read_records(text: str, separator: str) -> Iterator[Record]:
    """Yield the records of a text.

    Args:
        text: The text.
        separator: What separates columns.

    Raises:
        Refused: If a quote is not closed or is misplaced; the line is named.
    """
    blank = separator == " "
    # newline="" leaves line breaks within quoted cells to the csv module.
    stream = io.StringIO(text, newline="")
    lines = (_plain_blanks(line) for line in stream) if blank else stream
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=blank, strict=True)
    last = 0
    try:
        for cells in reader:
            if cells:
                yield Record(reader.line_num, cells)
            last = reader.line_num
    except csv.Error as error:
        raise Refused(describe_csv_error(str(error), last + 1)) from None


def _plain_blanks(line: str) -> str:
    """Return a line with blanks for tabs, which files in columns of blanks mix in."""
    line = line.replace("\t", " ").rstrip(" \r\n")
    # NumPy writes "# a b": a mark before the names, no column of its own.
    return re.sub(r"^(\s*#) +", r"\1", line) + "\n"


def _is_comment(record: Record) -> bool:
    return record.cells[0].lstrip().startswith("#")


def _usual_width(records: Sequence[Record]) -> int:
    counts = Counter(len(record.cells) for record in records)
    return max(counts, key=lambda width: (counts[width], width)) if counts else 0


def _find_header(start: Sequence[Record], width: int) -> int:
    """Return the place of the first record that is no title and no comment."""
    for at, record in enumerate(start[:TITLES]):
        filled = sum(bool(cell.strip()) for cell in record.cells)
        wide = len(record.cells) in (width - 1, width, width + 1) and filled > 1
        if wide and filled >= _MOSTLY * width and not _is_remark(record, width):
            if _is_comment(record) and _names_follow(start[at + 1 : at + 3]):
                continue
            return at
    return 0


def _names_follow(below: Sequence[Record]) -> bool:
    """Return whether the next record has names, and the one below it numbers."""
    counts = [
        sum(parse_number(cell.replace(",", ".")) is not None for cell in record.cells)
        for record in below
    ]
    return len(counts) == 2 and counts[0] == 0 < counts[1]


def _is_remark(record: Record, width: int) -> bool:
    """Return whether a record is a comment; a header may begin with # as well."""
    return _is_comment(record) and len(record.cells) != width


def _has_names(records: Sequence[Record]) -> bool:
    """Return whether the first record names the columns.

    Raises:
        Refused: If it looks like the rows below it.
    """
    first = [cell.strip() for cell in records[0].cells]
    below = [record.cells for record in records[1:_SEEN]]
    numbers = [parse_number(cell.replace(",", ".")) is not None for cell in first]
    if not any(numbers) or not below:
        return True
    words = [at for at, number in enumerate(numbers) if not number and first[at]]
    again = sum(
        any(len(r) > at and r[at].strip() == first[at] for r in below) for at in words
    )
    # Years may be names; but a word that is in its column again is data.
    if not all(numbers) and not again and sum(numbers) * 2 < len(first):
        return True
    if words and not again and not all(numbers) and _all_years(first, numbers):
        return True
    shown = ", ".join(clean(cell)[:20] for cell in first[:3])
    more = ", …" if len(first) > 3 else ""
    raise Refused(
        f"the first line looks like data ({shown}{more}): choose whether it has data "
        "(the columns are then called column 1, column 2, …) or names",
        "header",
    )


def _all_years(first: Sequence[str], numbers: Sequence[bool]) -> bool:
    found = [c for c, number in zip(first, numbers, strict=True) if number]
    return all(c.isdecimal() and 1500 <= int(c) <= 2200 for c in found)
