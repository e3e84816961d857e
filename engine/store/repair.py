"""Checking a store, removing what crashes left behind, and rebuilding its index."""

import contextlib
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from engine.contract.jobs import FINAL, JobState
from engine.store import (
    fact_rows,
    files,
    index_entry_backup,
    leases,
    readers,
    run_files,
    run_rows,
    schema,
)
from engine.store.errors import DamagedRun
from engine.store.index import Index
from engine.store.leases import ProcessIdentity


def rebuild(index: Index) -> None:
    """Rebuild the index from the runs' folders; the damaged one is renamed.

    Args:
        index: The store's index.
    """
    with FileLock(index.home / "rebuild.lock", timeout=30, mode=0o600):
        if index.is_sound() and _has_all_columns(index):
            return  # another process has rebuilt it meanwhile
        aside = f"damaged-{secrets.token_hex(4)}"
        for name in ("index.sqlite", "index.sqlite-journal"):
            old = index.home / name
            if old.exists():
                old.replace(index.home / f"{aside}-{name}")
        index.prepare()
        for folder in _run_folders(index.home):
            adopt(index, folder)


def _has_all_columns(index: Index) -> bool:
    """Return whether every table has the columns of the present schema."""
    fresh = sqlite3.connect(":memory:")
    fresh.executescript(schema.TABLES)
    whole = index.read(_table_columns) == _table_columns(fresh)
    fresh.close()
    return whole


def _table_columns(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return db.execute(
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' ORDER BY m.name, c.cid"
    ).fetchall()


def adopt(index: Index, folder: Path) -> bool:
    """Add a run to the index from the copy in its folder.

    Args:
        index: The store's index.
        folder: The run's folder.

    Returns:
        Whether the folder's copy of its index entries could be read.
    """
    known = index_entry_backup.read(folder)
    if known is None or known.row.key != folder.name:
        return False
    row = known.row
    if JobState(row.state) not in FINAL:  # no lease survives a rebuild
        error = "it was unfinished when the index was rebuilt"
        row = replace(row, state=str(JobState.INTERRUPTED), error=error)

    def change(db: sqlite3.Connection) -> None:
        if run_rows.find(db, row.key) is not None:
            return
        run_rows.put(db, replace(row, turn=run_rows.next_turn(db)))
        for name, text in known.texts.items():
            run_rows.put_text(db, row.key, name, text)
        for entry in known.entries:
            run_files.enter_file(db, entry)
        run_rows.recount(db, row.key)

    index.write(change)
    return True


def check_store(index: Index, *, deep: bool = True) -> list[str]:
    """Check the whole store and repair what can be repaired.

    Args:
        index: The store's index.
        deep: Whether the checksum of every file is verified.

    Returns:
        The keys of the damaged runs, newest first.
    """
    if not (index.is_sound() and _has_all_columns(index)):
        rebuild(index)
    known = set(_run_keys(index))
    for folder in _run_folders(index.home):
        if folder.name not in known:
            adopt(index, folder)
    if stale := index.read(fact_rows.list_stale):
        index.write(lambda db: [fact_rows.refresh(db, key) for key in stale])
    keys = _run_keys(index)
    return [key for key in keys if not _is_intact(index, key, deep)]


def _run_keys(index: Index) -> list[str]:
    asked = "SELECT key FROM runs ORDER BY created DESC"
    return index.read(lambda db: [key for (key,) in db.execute(asked)])


def _is_intact(index: Index, key: str, deep: bool) -> bool:
    row = index.read(lambda db: run_rows.find(db, key))
    if row is None or row.damaged:
        return row is None
    if not deep:
        return True
    try:
        for name in ("spec", "summary", "fingerprint", "timings", "traceback"):
            readers.text(index, key, name)
        readers.blocks(index, key, 0)
        for name, kind, *_ in readers.artefacts(index, key):
            readers.artefact(index, key, name, kind)
    except DamagedRun:
        return False
    if not (files.run_folder(index.home, key) / index_entry_backup.NAME).exists():
        index_entry_backup.write(index, key)
    return True


def tidy(index: Index) -> int:
    """Remove temporary and orphan files; returns how many there were."""
    orphans = [*_orphans(index), *_stray_paths(index.home)]
    for path in orphans:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            files.remove(path)
    files.reserve_space(index.home)
    return len(orphans)


def _orphans(index: Index) -> Iterator[Path]:
    """Yield files in runs' folders that no run lists and no worker is writing."""
    for folder in _run_folders(index.home):
        # listed before the index is read: a file may be entered in between
        present = list(folder.iterdir())
        yield from _unowned_files(index, folder.name, present)


def _unowned_files(index: Index, key: str, present: list[Path]) -> list[Path]:
    names = {path.name for path in present}
    folder = files.run_folder(index.home, key)
    # an import puts its folder in place just before its transaction commits
    recent = folder.exists() and time.time() - folder.stat().st_mtime < 60

    def ask(db: sqlite3.Connection) -> list[Path]:
        if run_rows.find(db, key) is None:
            return [] if index_entry_backup.NAME in names or recent else present
        files_of = "SELECT file FROM payloads WHERE key = ?"
        owned = {index_entry_backup.NAME} | {
            name for (name,) in db.execute(files_of, (key,))
        }
        holding = "SELECT token FROM leases WHERE key = ? AND revoked IS NULL"
        writing = tuple(f"{token:08d}-" for (token,) in db.execute(holding, (key,)))
        return [
            path
            for path in present
            if path.name not in owned and not path.name.startswith(writing)
        ]

    return index.read(ask)


def _stray_paths(home: Path) -> Iterator[Path]:
    """Yield what was left behind by deletes, imports and writes that were killed."""
    yield from (home / "trash").glob("*")
    yield from home.glob(f"*{files.PART}")
    for folder in (home / "incoming").glob("*"):
        pid, _, birth = folder.name.partition("-")
        birth = birth.rpartition("-")[0]
        if not leases.is_alive(
            ProcessIdentity(int(pid), float(birth), leases.boot_id())
        ):
            yield folder


def remove_stray(home: Path, seconds: float) -> None:
    """Remove what was left behind by killed writes, while others may be writing.

    Args:
        home: A store's folder.
        seconds: How old a file of an unfinished write is at least.
    """
    for path in _stray_paths(home):
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif time.time() - path.stat().st_mtime > seconds:
                files.remove(path)


def make_incoming_folder(home: Path) -> Path:
    """Make a temporary folder in which this process writes a run before storing it."""
    who = leases.this_process()
    # named after the process, so that `tidy` knows when nobody writes there any more
    name = f"{who.pid}-{who.birth}-{secrets.token_hex(8)}"
    files.make_folder(home / "incoming")
    files.make_folder(home / "incoming" / name)
    return home / "incoming" / name


def _run_folders(home: Path) -> list[Path]:
    runs = home / "runs"
    if not runs.exists():
        return []
    return sorted(Path(entry.path) for entry in os.scandir(runs) if entry.is_dir())
