"""A workspace takes over a run of the shared store: same key, same files.

Files are linked, not copied, so a run that ten visitors have takes its space once.
"""

import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from engine.contract.jobs import FINAL, JobState
from engine.store import (
    annotations,
    files,
    index_entry_backup,
    repair,
    run_files,
    run_groups,
    run_rows,
)
from engine.store.index import Index
from engine.store.run_files import FileEntry

# What a run's own store and its followers have apart is not taken over.
_RESULTS = ("spec", "summary", "fingerprint", "timings", "traceback")
_FILES = ("blocks", "artefact")


class _Found(NamedTuple):
    """A run as the shared store holds it."""

    row: run_rows.RunRow
    texts: dict[str, Any]
    entries: list[FileEntry]


def mirror(shared: Index, own: Index, key: str) -> None:
    """Bring a workspace's run up to date with the shared store's; adopt its end.

    Args:
        shared: The index of the shared store.
        own: The index of the workspace's store, which has a run of this key.
        key: The run's key.
    """
    found = shared.read(lambda db: _find(db, key))
    if found is None:
        own.write(lambda db: _mark_lost(db, key))
    elif JobState(found.row.state) in FINAL:
        _adopt(shared.home, own, found)
    else:
        own.write(lambda db: _put_state(db, found.row))


def adopt(shared: Index, own: Index, key: str) -> None:
    """Take over what the shared store holds of a run, whatever its state."""
    found = shared.read(lambda db: _find(db, key))
    if found is not None:
        _adopt(shared.home, own, found)


def _find(db: sqlite3.Connection, key: str) -> _Found | None:
    row = run_rows.find(db, key)
    if row is None or row.damaged:
        return None
    texts = {name: run_rows.get_text(db, key, name) for name in _RESULTS}
    entries = [e for kind in _FILES for _, e in run_files.list_entries(db, key, kind)]
    return _Found(row, {n: t for n, t in texts.items() if t is not None}, entries)


def _copy_state(own: run_rows.RunRow, shared: run_rows.RunRow) -> run_rows.RunRow:
    """Return the workspace's row in the state of the shared one.

    It bypasses the table of transitions: this row only shows what happens elsewhere.
    """
    names = ("state", "started", "finished", "attempt", "lost", "worker", "stage")
    names += ("done", "note", "error")
    return replace(own, **{name: getattr(shared, name) for name in names})


def _put_state(db: sqlite3.Connection, shared: run_rows.RunRow) -> None:
    own = run_rows.find(db, shared.key)
    if own is None or JobState(own.state) in FINAL:
        return  # deleted or cancelled meanwhile
    if (fresh := _copy_state(own, shared)) != own:
        run_rows.put(db, fresh)


def _mark_lost(db: sqlite3.Connection, key: str) -> None:
    own = run_rows.find(db, key)
    if own is not None and JobState(own.state) not in FINAL:
        gone = "this lab no longer holds the run: start it again"
        run_rows.put(db, replace(own, state=str(JobState.FAILED), error=gone))


def _adopt(home: Path, own: Index, found: _Found) -> None:
    """Put a run's texts and linked files into a workspace; one rename files them."""
    key, entries = found.row.key, found.entries
    folder = repair.make_incoming_folder(own.home)
    place = files.run_folder(own.home, key)

    def change(db: sqlite3.Connection) -> None:
        row = run_rows.find(db, key)
        if row is None:
            return  # deleted meanwhile
        kept = run_groups.memberships(db, key) | annotations.find(db, key)
        run_rows.forget(db, key)
        run_rows.put(db, _copy_state(row, found.row))
        for name, value in (found.texts | kept).items():
            run_rows.put_text(db, key, name, value)
        for entry in entries:
            run_files.enter_file(db, entry)
        run_rows.recount(db, key)
        files.discard(own.home, place)
        os.replace(folder, place)  # last: if it fails, the transaction rolls back

    try:
        for entry in entries:
            _link(entry.path(home), folder / entry.file)
        own.write(change)
    except FileNotFoundError:
        return  # compacted or deleted meanwhile: the next look finds what is there
    finally:
        files.discard(own.home, folder)
    index_entry_backup.write(own, key)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
