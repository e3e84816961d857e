"""A person's own CSV: looked at, kept under its sha256, and never changed.

The file is kept as it came, so its digest is the checksum that anyone can take of
the original; what is left out of it is a choice of the run.
"""

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from engine.contract.errors import Refused
from engine.data.sources.checksums import sha256
from engine.data.sources.locations import own_home
from engine.data.user.columns import Column, ColumnTally
from engine.data.user.csv_reader import LIMIT, read_header, read_rows, text_bytes
from engine.store.files import make_private

PIECE = 2000
SHEET = ".csv"
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class CsvFile:
    """A file that was read and found in order.

    Args:
        digest: sha256 of the file's bytes.
        columns: What each column holds.
        rows: How many rows there are.
        warnings: What a person should know, one sentence each.
        data: The file's bytes.
    """

    digest: str
    columns: tuple[Column, ...]
    rows: int
    warnings: tuple[str, ...]
    data: bytes = field(repr=False)

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises:
            Refused: If there is none; the message lists what there is.
        """
        for column in self.columns:
            if column.name == name:
                return column
        have = ", ".join(column.name for column in self.columns[:20])
        raise Refused(
            f"this file has no column {name[:40]!r}; it has: {have}", "target"
        )

    def preview(self, count: int = 10) -> list[list[str]]:
        """Return the first rows as texts."""
        names = [column.name for column in self.columns]
        return [cells for _, cells in islice(read_rows(self.data, names), count)]


def read_csv(data: bytes, limit: int = LIMIT) -> CsvFile:
    """Read a CSV file: Unicode, commas, decimal points, a first line with names.

    Args:
        data: The file's bytes.
        limit: Most bytes that are read.

    Raises:
        Refused: In one sentence, with the line or the column.
    """
    data = text_bytes(data, limit)
    names = read_header(data)
    tallies = [ColumnTally(name) for name in names]
    count = 0
    seen: set[int] = set()
    found = read_rows(data, names)
    while piece := list(islice(found, PIECE)):
        lines = [line for line, _ in piece]
        columns = zip(*(cells for _, cells in piece), strict=True)
        for tally, cells in zip(tallies, columns, strict=True):
            tally.add_cells(cells, lines)
        marks = [hash(tuple(cells)) for _, cells in piece]
        count += len(piece)
        seen.update(marks)
    found_columns = tuple(tally.column() for tally in tallies)
    warnings = _warnings(found_columns, count - len(seen))
    return CsvFile(sha256(data), found_columns, count, warnings, data)


def _warnings(columns: tuple[Column, ...], doubles: int) -> tuple[str, ...]:
    told = []
    if doubles:
        told.append(
            f"{doubles:,} rows are there more than once; copies stay in one pool, and "
            "on one side of a task"
        )
    empty = {column.name: column.empty for column in columns if column.empty}
    if empty:
        listed = ", ".join(f"{name} {count:,}" for name, count in empty.items())
        told.append(f"there are empty cells: {listed}")
    told += [f"{column.name}: {column.note}" for column in columns if column.note]
    return tuple(told)


def store_csv(table: CsvFile) -> str:
    """Keep a file that was read; return its digest. The same file is kept once.

    Raises:
        Refused: If it cannot be written.
    """
    store_bytes(own_path(table.digest), table.data)
    return table.digest


def store_bytes(path: Path, data: bytes) -> None:
    """Keep a file's bytes where its digest says, once.

    Raises:
        Refused: If it cannot be written.
    """
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (path.parent.parent, path.parent):
            make_private(folder)
        if not (path.is_file() and path.read_bytes() == data):
            _write_synced(beside, data)
            os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        reason = (error.strerror or "unwritable").lower()
        raise Refused(f"your file cannot be kept: {reason}") from None


def read_csv_path(path: Path, limit: int = LIMIT) -> CsvFile:
    """Read a file that the command line names, without keeping it.

    Raises:
        Refused: If it cannot be read, or is refused.
    """
    return read_csv(path_bytes(path, limit), limit)


def path_bytes(path: Path, limit: int) -> bytes:
    """Return the bytes of a file that the command line names.

    Raises:
        Refused: If it cannot be read or has more bytes than the limit.
    """
    try:
        size = path.stat().st_size if path.is_file() else -1
        if size > limit:
            raise Refused(f"{path.name} has {size:,} bytes; at most {limit:,} are read")
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise Refused(f"{path.name} cannot be read: {reason}") from None


def read_own_bytes(digest: str, kind: str = SHEET) -> bytes:
    """Return a kept file's bytes.

    Args:
        digest: Its sha256.
        kind: How its name ends: a sheet's, or an archive's.

    Raises:
        Refused: If it is not there, or is not what it was.
    """
    path = own_path(digest, kind)
    try:
        data = path.read_bytes()
    except OSError:
        raise Refused(
            f"this run needs the file with sha256 {digest}; add it under own data",
            "digest",
        ) from None
    if sha256(data) != digest:
        raise Refused(f"the kept file {digest[:12]} is damaged; add it again", "digest")
    return data


def own_path(digest: str, kind: str = SHEET) -> Path:
    """Return where a file of that digest is kept.

    Raises:
        Refused: If it is no digest.
    """
    if not digest:
        raise Refused("choose a file of your own first", "digest")
    if not _DIGEST.fullmatch(digest):
        raise Refused("a digest is 64 digits of 0-9 and a-f", "digest")
    return own_home() / f"{digest}{kind}"


def kept_digests(kind: str = SHEET) -> list[str]:
    """Return the digests of all files of a kind that are kept."""
    home = own_home()
    found = home.glob(f"*{kind}") if home.is_dir() else []
    return sorted(path.stem for path in found if _DIGEST.fullmatch(path.stem))


def _write_synced(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
