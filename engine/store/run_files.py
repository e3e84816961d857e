"""The immutable files of a run, each entered in the index with its checksum."""

import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from engine.store import files
from engine.store.errors import DamagedRun
from engine.store.row_seals import matches_seal, seal, sha256_hex


class FileEntry(NamedTuple):
    """A file of a run as the index knows it; `kind` is its sort of content."""

    key: str
    kind: str
    name: str
    file: str
    digest: str
    info: str = "{}"

    def path(self, home: Path) -> Path:
        """Return where the file lies."""
        return files.run_folder(home, self.key) / self.file


class NewFile(NamedTuple):
    """A file that is still to be written."""

    kind: str
    name: str
    file: str
    data: bytes
    info: dict[str, Any]

    def store(self, folder: Path, key: str) -> FileEntry:
        """Write the file into a folder and return its entry for the index."""
        info = json.dumps(self.info, separators=(",", ":"))
        entry = FileEntry(
            key, self.kind, self.name, self.file, sha256_hex(self.data), info
        )
        files.write_atomically(folder / self.file, self.data)
        return entry


def enter_file(db: sqlite3.Connection, entry: FileEntry) -> None:
    """Make a written file part of its run."""
    db.execute(
        "INSERT INTO payloads (key, kind, name, file, digest, info, seal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*entry, seal(*entry)),
    )


def list_entries(
    db: sqlite3.Connection, key: str, kind: str, since: int = 0
) -> list[tuple[int, FileEntry]]:
    """Return the entries of one kind after a cursor, with their numbers.

    Raises:
        Damaged: If one is not what was entered.
    """
    found = db.execute(
        "SELECT id, key, kind, name, file, digest, info, seal FROM payloads"
        " WHERE key = ? AND id > ? ORDER BY id",
        (key, since),
    ).fetchall()
    for _, *values, sealed in found:
        if not matches_seal(sealed, *values):
            raise DamagedRun(key, "the list of its files")
    return [(row[0], FileEntry(*row[1:-1])) for row in found if row[2] == kind]


def remove(db: sqlite3.Connection, numbers: list[int]) -> None:
    """Take files out of their run; they are deleted after the commit."""
    db.executemany("DELETE FROM payloads WHERE id = ?", [(n,) for n in numbers])


def remove_all(db: sqlite3.Connection, key: str) -> None:
    """Take every file out of a run, so that it starts over."""
    db.execute("DELETE FROM payloads WHERE key = ?", (key,))


def read_entry(home: Path, entry: FileEntry) -> bytes:
    """Return a file's bytes.

    Raises:
        Damaged: If they are not those that were written.
        FileNotFoundError: If it is gone.
    """
    try:
        data = entry.path(home).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise files.as_store_error(error) from error
    if sha256_hex(data) != entry.digest:
        raise DamagedRun(entry.key, entry.file)
    return data
