"""The user's tags and note on a run, kept as one of its texts."""

import sqlite3
from typing import Any

from engine.contract.annotations import Annotations, clean_annotations
from engine.store import fact_rows, index_entry_backup, readers, run_rows
from engine.store.errors import DamagedRun, NoRun
from engine.store.index import Index


def annotate(index: Index, key: str, tags: tuple[str, ...], note: str) -> Annotations:
    """Replace a run's tags and note; returns them as they are stored.

    Args:
        index: The store's index.
        key: The run's key.
        tags: The tags; cleaned, and cut to their limits.
        note: The note; likewise.

    Raises:
        NoRun: If there is no such run.
    """
    given = clean_annotations(tags, note)

    def change(db: sqlite3.Connection) -> None:
        run_rows.get(db, run_rows.check_key(key))
        run_rows.put_text(db, key, fact_rows.ANNOTATIONS, given._asdict())
        run_rows.recount(db, key)

    index.write(change)
    index_entry_backup.write(index, key)
    return given


def read_annotations(index: Index, key: str) -> Annotations:
    """Return a run's tags and note; empty if it has none.

    Raises:
        NoRun: If there is no such run.
    """
    found = readers.text(index, key, fact_rows.ANNOTATIONS) or {}
    return Annotations(tuple(found.get("tags", ())), found.get("note", ""))


def find(db: sqlite3.Connection, key: str) -> dict[str, Any]:
    """Return a run's tags and note as a text by name; empty where there is none."""
    try:
        value = run_rows.get_text(db, key, fact_rows.ANNOTATIONS)
    except (DamagedRun, NoRun):
        return {}
    return {} if value is None else {fact_rows.ANNOTATIONS: value}
