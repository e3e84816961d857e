"""A copy of a run's index entries in its own folder, `run.json`.

A corrupt index is rebuilt from these copies; no run depends on another.
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
    """A run's row, its JSON texts by name, and its files."""

    row: run_rows.RunRow
    texts: dict[str, Any]
    entries: list[FileEntry]


def write(index: Index, key: str) -> None:
    """Bring the copy in a run's folder up to date.

    A failure is ignored: the index holds the same, and `check_store` writes a copy
    that is missing.
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
    """Return the copy in a run's folder; None if it is missing or fails its seal."""
    try:
        sealed = json.loads((folder / NAME).read_bytes())
        if not matches_seal(sealed["seal"], sealed["body"]):
            return None
        row, texts, found = json.loads(sealed["body"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    plain = {name: json.loads(text) for name, text in texts.items()}
    return RunMetadata(
        run_rows.RunRow(*row), plain, [FileEntry(*entry) for entry in found]
    )
