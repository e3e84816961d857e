"""Reading a run's results: any number of readers beside one writer.

A file may vanish after it was found in the index, as its run is compacted or deleted:
then the index is read again. A file that fails its checksum quarantines its run; no
wrong value is ever returned.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from engine.contract.events import Artefact, Block, Checkpoint, Timing
from engine.contract.run_spec import RunSpec
from engine.store import array_codec, arrow_codec, run_files, run_rows
from engine.store.errors import DamagedRun, StoreError
from engine.store.index import Index

T = TypeVar("T")
_TRIES = 3  # compactions are rare, so a file that is gone this often is missing


class ArtefactEntry(NamedTuple):
    """An artefact without its arrays; `digest` is the sha256 of its file."""

    name: str
    kind: str
    digest: str
    info: dict[str, object]


def blocks(index: Index, key: str, since: int) -> tuple[list[Block], int]:
    """Return the blocks written after a cursor, and the new cursor.

    Args:
        index: The store's index.
        key: The run's key.
        since: The cursor of an earlier call; 0 for all blocks.

    Returns:
        The newest block of each address, and the cursor for the next call.

    Raises:
        NoRun: If there is no such run.
        DamagedRun: If a file fails its checksum; the run is quarantined.
    """

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
    """Return the newest artefact of a name, with its arrays.

    Args:
        index: The store's index.
        key: The run's key.
        name: The artefact's name.
        kind: Its kind; any if empty.

    Raises:
        StoreError: If the run has no such artefact.
        DamagedRun: If its file fails its checksum; the run is quarantined.
    """

    def read() -> Artefact:
        for _, entry in reversed(_checked_entries(index, key, "artefact")):
            filed = json.loads(entry.info)["kind"]
            # A learner may have the label "film", so a name alone is not enough.
            if entry.name == name and kind in ("", filed):
                held, info = array_codec.unpack(run_files.read_entry(index.home, entry))
                return Artefact(name, filed, held, info["info"])
        raise StoreError(f"this run has no artefact {name[:40]!r}")

    return _retry_read(index, key, read)


def artefacts(index: Index, key: str) -> list[ArtefactEntry]:
    """Return a run's artefacts without their arrays, the newest per kind and name."""

    def read() -> list[ArtefactEntry]:
        listed = {}
        for _, entry in _checked_entries(index, key, "artefact"):
            about = json.loads(entry.info)
            kind = about["kind"]
            listed[kind, entry.name] = ArtefactEntry(
                entry.name, kind, entry.digest, about["info"]
            )
        return list(listed.values())

    return _retry_read(index, key, read)


def checkpoint(index: Index, key: str) -> Checkpoint | None:
    """Return the checkpoint to continue from; None if the run starts over."""
    found = _checked_entries(index, key, "checkpoint")
    if not found:
        return None
    try:
        return Checkpoint(
            *array_codec.unpack(run_files.read_entry(index.home, found[-1][1]))
        )
    except (DamagedRun, FileNotFoundError):
        return None  # starting over gives the same numbers and only costs time


def spec(index: Index, key: str) -> RunSpec:
    """Return the completed spec of a run.

    Raises:
        NoRun: If there is no such run.
        DamagedRun: If its spec is missing or damaged.
    """
    value = text(index, key, "spec")
    if value is None:
        raise DamagedRun(key, "its spec")
    # not strict: JSON has lists where the spec has tuples
    return RunSpec.model_validate(value, strict=False)


def timings(index: Index, key: str) -> list[Timing]:
    """Return seconds, counts and memory peaks, summed by learner and stage."""
    return [Timing(*each) for each in text(index, key, "timings") or []]


def text(index: Index, key: str, name: str) -> Any:
    """Return a stored JSON value of a run, such as "summary"; None if there is none."""

    def ask(db: sqlite3.Connection) -> Any:
        run_rows.get(db, key)
        return run_rows.get_text(db, key, name)

    return _retry_read(index, key, lambda: index.read(ask))


def mark_damaged(index: Index, key: str, what: str) -> None:
    """Quarantine a run, if the store can be written.

    Args:
        index: The store's index.
        key: The run's key.
        what: The file or row that is damaged.
    """

    def change(db: sqlite3.Connection) -> None:
        row = run_rows.find(db, key)
        if row is not None and not row.damaged:
            run_rows.put(db, replace(row, damaged=what))

    try:
        index.write(change)
    except StoreError:
        return  # the caller raises DamagedRun in any case


def _checked_entries(
    index: Index, key: str, kind: str, since: int = 0
) -> list[tuple[int, run_files.FileEntry]]:
    def ask(db: sqlite3.Connection) -> list[tuple[int, run_files.FileEntry]]:
        row = run_rows.get(db, key)
        asked = "SELECT count(*) FROM payloads WHERE key = ?"
        (count,) = db.execute(asked, (key,)).fetchone()
        if row.damaged or count != row.files:
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
