"""What the index knows of a run, written once more into the run's own folder.

If the index is smashed, it is rebuilt from these; no run depends on another.
"""

import json
import sqlite3
from dataclasses import astuple
from pathlib import Path
from typing import Any, NamedTuple

from engine.store import files, run_rows
from engine.store.errors import StoreError
from engine.store.index import Index
from engine.store.row_seals import matches_seal, seal
from engine.store.run_files import FileEntry

NAME = "run.json"


class RunMetadata(NamedTuple):
    """A run's row, filed texts and files."""

    row: run_rows.RunRow
    texts: dict[str, Any]
    entries: list[FileEntry]


def write(index: Index, key: str) -> None:
    """Bring a run's mirror up to date.

    The index has it already, and a check makes what is missing, so a full disk
    is no failure here.
    """
    seen = index.read(lambda db: _collect_metadata(db, key))
    if seen is None:
        return
    body = json.dumps(seen, separators=(",", ":"))
    folder = files.run_folder(index.home, key)
    try:
        files.make_folder(folder)
        text = json.dumps({"body": body, "seal": seal(body)})
        files.write_atomically(folder / NAME, text.encode())
    except (StoreError, FileNotFoundError):
        return
    if index.read(lambda db: run_rows.find(db, key)) is None:
        files.discard(index.home, folder)  # deleted meanwhile


def _collect_metadata(db: sqlite3.Connection, key: str) -> list[Any] | None:
    row = run_rows.find(db, key)
    if row is None or row.damaged:
        return None
    texts = db.execute("SELECT name, text FROM texts WHERE key = ?", (key,)).fetchall()
    found = db.execute(
        "SELECT key, kind, name, file, digest, info FROM payloads"
        " WHERE key = ? ORDER BY id",
        (key,),
    ).fetchall()
    return [astuple(row), dict(texts), [list(entry) for entry in found]]


def read(folder: Path) -> RunMetadata | None:
    """Return a folder's mirror; none if there is none that its seal holds."""
    try:
        told = json.loads((folder / NAME).read_bytes())
        if not matches_seal(told["seal"], told["body"]):
            return None
        row, texts, found = json.loads(told["body"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    plain = {name: json.loads(text) for name, text in texts.items()}
    return RunMetadata(
        run_rows.RunRow(*row), plain, [FileEntry(*entry) for entry in found]
    )
