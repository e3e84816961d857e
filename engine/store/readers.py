"""Readers: any number of them, beside one writer, and never a wrong value.

A file may vanish between the look into the index and the read of it (the run
was compacted or deleted): then the index is asked again. A file that is not
what was written sets its run aside by name.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from engine.contract.events import Artefact, Block, Checkpoint, Timing
from engine.contract.runs import RunSpec
from engine.store import arrays, arrow_codec, run_files, run_rows
from engine.store.errors import DamagedRun, StoreError
from engine.store.index import Index

T = TypeVar("T")
_TRIES = 3


def blocks(index: Index, key: str, since: int) -> tuple[list[Block], int]:
    """Return the blocks after a cursor, newest per address, and the new cursor."""

    def read() -> tuple[list[Block], int]:
        found = _checked_entries(index, key, "blocks", since)
        lists = [
            arrow_codec.decode(run_files.read_entry(index.home, e)) for _, e in found
        ]
        cursor = max((number for number, _ in found), default=since)
        return arrow_codec.newest_per_address(
            block for each in lists for block in each
        ), cursor

    return _retry_read(index, key, read)


def artefact(index: Index, key: str, name: str, kind: str = "") -> Artefact:
    """Return an artefact with its arrays, of any kind if none is given."""

    def read() -> Artefact:
        for _, entry in reversed(_checked_entries(index, key, "artefact")):
            filed = json.loads(entry.info)["kind"]
            # A learner may have the label "film", so a name alone is not enough.
            if entry.name == name and kind in ("", filed):
                held, info = arrays.unpack(run_files.read_entry(index.home, entry))
                return Artefact(name, filed, held, info["info"])
        raise StoreError(f"this run has no artefact {name[:40]!r}")

    return _retry_read(index, key, read)


def artefacts(index: Index, key: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return (name, kind, digest, info) of each artefact, newest per kind and name."""

    def read() -> list[tuple[str, str, str, dict[str, Any]]]:
        listed = {}
        for _, entry in _checked_entries(index, key, "artefact"):
            about = json.loads(entry.info)
            listed[about["kind"], entry.name] = (
                entry.name,
                about["kind"],
                entry.digest,
                about["info"],
            )
        return list(listed.values())

    return _retry_read(index, key, read)


def checkpoint(index: Index, key: str) -> Checkpoint | None:
    """Return where to go on from; none if the run must start at its beginning."""
    found = _checked_entries(index, key, "checkpoint")
    if not found:
        return None
    try:
        return Checkpoint(
            *arrays.unpack(run_files.read_entry(index.home, found[-1][1]))
        )
    except (DamagedRun, FileNotFoundError):
        return None  # starting over gives the same numbers, only later


def spec(index: Index, key: str) -> RunSpec:
    """Return the completed spec of a run."""
    value = text(index, key, "spec")
    if value is None:
        raise DamagedRun(key, "its spec")
    return RunSpec.model_validate(value, strict=False)


def timings(index: Index, key: str) -> list[Timing]:
    """Return the summed seconds by learner and stage."""
    return [Timing(*each) for each in text(index, key, "timings") or []]


def text(index: Index, key: str, name: str) -> Any:
    """Return a filed JSON value of a run, or none."""

    def ask(db: sqlite3.Connection) -> Any:
        run_rows.get(db, key)
        return run_rows.get_text(db, key, name)

    return _retry_read(index, key, lambda: index.read(ask))


def mark_damaged(index: Index, key: str, what: str) -> None:
    """Mark a run as damaged, by name; a read-only store stays as it is."""

    def change(db: sqlite3.Connection) -> None:
        row = run_rows.find(db, key)
        if row is not None and not row.damaged:
            run_rows.put(db, replace(row, damaged=what))

    try:
        index.write(change)
    except StoreError:
        return  # the caller raises Damaged whether or not it could be noted


def _checked_entries(
    index: Index, key: str, kind: str, since: int = 0
) -> list[tuple[int, run_files.FileEntry]]:
    def ask(db: sqlite3.Connection) -> list[tuple[int, run_files.FileEntry]]:
        row = run_rows.get(db, key)
        asked = "SELECT count(*) FROM payloads WHERE key = ?"
        (held,) = db.execute(asked, (key,)).fetchone()
        if row.damaged or held != row.files:
            raise DamagedRun(key, row.damaged or "the list of its files")
        return run_files.list_entries(db, key, kind, since)

    return index.read(ask)


def _retry_read(index: Index, key: str, read: Callable[[], T]) -> T:
    for _ in range(_TRIES):
        try:
            return read()
        except FileNotFoundError as error:
            missing = str(error.filename).rpartition("/")[2]
        except DamagedRun as damage:
            mark_damaged(index, key, damage.what)
            raise
    mark_damaged(index, key, missing)
    raise DamagedRun(key, missing)
