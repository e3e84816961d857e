"""The immutable files of a run, each listed in the index with its checksum."""

import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from engine.store import files
from engine.store.errors import DamagedRun
from engine.store.row_seals import matches_seal, seal, sha256_hex


class FileEntry(NamedTuple):
    """A file of a run as the index lists it; `kind`: blocks, artefact, checkpoint."""

    key: str
    kind: str
    name: str
    file: str
    digest: str
    info: str = "{}"

    def path(self, home: Path) -> Path:
        """Return the path of the file in a store."""
        return files.run_folder(home, self.key) / self.file


class NewFile(NamedTuple):
    """A file that has not been written yet."""

    kind: str
    name: str
    file: str
    data: bytes
    info: dict[str, Any]

    def store(self, folder: Path, key: str) -> FileEntry:
        """Write the file into a run's folder.

        Args:
            folder: The run's folder.
            key: The run's key.

        Returns:
            Its entry for the index, with the sha256 of its bytes.

        Raises:
            StoreError: If it cannot be written.
            FileNotFoundError: If the folder is gone: the run was deleted.
        """
        info = json.dumps(self.info, separators=(",", ":"))
        entry = FileEntry(
            key, self.kind, self.name, self.file, sha256_hex(self.data), info
        )
        files.write_atomically(folder / self.file, self.data)
        return entry


def enter_file(db: sqlite3.Connection, entry: FileEntry) -> None:
    """List a written file in the index as part of its run."""
    db.execute(
        "INSERT INTO payloads (key, kind, name, file, digest, info, seal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*entry, seal(*entry)),
    )


def list_entries(
    db: sqlite3.Connection, key: str, kind: str, since: int = 0
) -> list[tuple[int, FileEntry]]:
    """Return the entries of one kind after a cursor, oldest first.

    Args:
        db: An open transaction.
        key: The run's key.
        kind: Which files: blocks, artefact or checkpoint.
        since: Only entries with a larger number.

    Returns:
        Pairs of an entry's number, which only grows, and the entry.

    Raises:
        DamagedRun: If an entry of the run, of any kind, fails its seal.
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
    """Remove files from the index; the caller deletes them after the commit."""
    db.executemany("DELETE FROM payloads WHERE id = ?", [(n,) for n in numbers])


def remove_all(db: sqlite3.Connection, key: str) -> None:
    """Remove every file of a run from the index, so that it starts over."""
    db.execute("DELETE FROM payloads WHERE key = ?", (key,))


def read_entry(home: Path, entry: FileEntry) -> bytes:
    """Return a file's bytes, verified against its checksum.

    Args:
        home: The store's folder.
        entry: The file's entry in the index.

    Raises:
        DamagedRun: If they are not those that were written.
        FileNotFoundError: If the file is gone.
        StoreError: If it cannot be read.
    """
    try:
        data = entry.path(home).read_bytes()
    except FileNotFoundError:
        raise  # perhaps only compacted meanwhile: the reader asks the index again
    except OSError as error:
        raise files.as_store_error(error) from error
    if sha256_hex(data) != entry.digest:
        raise DamagedRun(entry.key, entry.file)
    return data
