"""The user's CSV files: inspected, and stored unchanged under their SHA-256.

The digest is that of the original file, so anyone can verify it; what to drop is an
option of the run.
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
from engine.data.user.columns import Column, ColumnTally, find_column
from engine.data.user.csv_reader import LIMIT, read_header, read_rows, text_bytes
from engine.store.files import make_private

PIECE = 2000  # rows held as text at once
SHEET = ".csv"
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class CsvFile:
    """A valid CSV file.

    Args:
        digest: SHA-256 of the file's bytes.
        columns: Summary of each column.
        rows: Number of rows.
        warnings: Remarks for the user, one sentence each.
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
            Refused: If there is none; the message lists the columns.
        """
        return find_column(self.columns, name)

    def preview(self, count: int = 10) -> list[list[str]]:
        """Return the first rows as texts."""
        names = [column.name for column in self.columns]
        return [cells for _, cells in islice(read_rows(self.data, names), count)]


def read_csv(data: bytes, limit: int = LIMIT) -> CsvFile:
    """Read a CSV file: Unicode, commas, decimal points, a first line with names.

    Args:
        data: The file's bytes.
        limit: The most bytes that a file may have.

    Raises:
        Refused: If anything is wrong; the sentence names the line or the column.
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
        # Hashes find duplicates in little memory; a collision miscounts a warning.
        marks = [hash(tuple(cells)) for _, cells in piece]
        count += len(piece)
        seen.update(marks)
    found_columns = tuple(tally.column() for tally in tallies)
    warnings = _warnings(found_columns, count - len(seen))
    return CsvFile(sha256(data), found_columns, count, warnings, data)


def _warnings(columns: tuple[Column, ...], doubles: int) -> tuple[str, ...]:
    remarks = []
    if doubles:
        remarks.append(
            f"{doubles:,} rows are duplicates; copies stay in one pool and on one side "
            "of a task"
        )
    empty = {column.name: column.empty for column in columns if column.empty}
    if empty:
        listed = ", ".join(f"{name} {count:,}" for name, count in empty.items())
        remarks.append(f"there are empty cells: {listed}")
    remarks += [f"{column.name}: {column.note}" for column in columns if column.note]
    return tuple(remarks)


def store_csv(table: CsvFile) -> str:
    """Store a file, once however often; return its SHA-256.

    Raises:
        Refused: If it cannot be written.
    """
    store_bytes(own_path(table.digest), table.data)
    return table.digest


def store_bytes(path: Path, data: bytes) -> None:
    """Write bytes to a path, atomically, unless they are there already.

    Args:
        path: A result of `own_path`.
        data: The bytes.

    Raises:
        Refused: If it cannot be written.
    """
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkdir leaves the mode of folders that exist already.
        for folder in (path.parent.parent, path.parent):
            make_private(folder)
        if not (path.is_file() and path.read_bytes() == data):
            _write_synced(beside, data)
            os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        reason = (error.strerror or "unwritable").lower()
        raise Refused(f"your file cannot be stored: {reason}") from None


def read_csv_path(path: Path, limit: int = LIMIT) -> CsvFile:
    """Read a CSV file named on the command line, without storing it.

    Args:
        path: The file.
        limit: The most bytes that it may have.

    Raises:
        Refused: If it cannot be read, or its contents are invalid.
    """
    return read_csv(path_bytes(path, limit), limit)


def path_bytes(path: Path, limit: int) -> bytes:
    """Return the bytes of a file named on the command line.

    Args:
        path: The file.
        limit: The most bytes that it may have.

    Raises:
        Refused: If it cannot be read or has more bytes than the limit.
    """
    try:
        # A pipe has no size; only a real file can be refused unread.
        size = path.stat().st_size if path.is_file() else -1
        if size > limit:
            raise Refused(f"{path.name} has {size:,} bytes; at most {limit:,} are read")
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise Refused(f"{path.name} cannot be read: {reason}") from None


def read_own_bytes(digest: str, kind: str = SHEET) -> bytes:
    """Return the bytes of a stored file.

    Args:
        digest: Its SHA-256.
        kind: Its suffix: that of CSV files, or that of archives.

    Raises:
        Refused: If it is not stored, or is damaged.
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
        raise Refused(
            f"the stored file {digest[:12]} is damaged; add it again", "digest"
        )
    return data


def own_path(digest: str, kind: str = SHEET) -> Path:
    """Return the path of a stored file; it need not exist.

    Args:
        digest: SHA-256 of the file.
        kind: Its suffix.

    Raises:
        Refused: If the digest is empty or malformed.
    """
    if not digest:
        raise Refused("choose a file of your own first", "digest")
    if not _DIGEST.fullmatch(digest):
        raise Refused("a digest must be 64 hex digits (0-9, a-f)", "digest")
    return own_home() / f"{digest}{kind}"


def kept_digests(kind: str = SHEET) -> list[str]:
    """Return the digests of all stored files with this suffix."""
    home = own_home()
    found = home.glob(f"*{kind}") if home.is_dir() else []
    return sorted(path.stem for path in found if _DIGEST.fullmatch(path.stem))


def _write_synced(path: Path, data: bytes) -> None:
    # O_EXCL follows no link, and the mode keeps others from reading it.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
