"""Shards: batches of a run that any free worker may compute ahead of their turn.

A shard is filed like a run, of kind "shard", so that it has a lease, checkpoints and
files of its own, and survives whatever a run survives. Its text "parent" holds the key
of its run. Shards wait behind all ordinary runs, and are deleted once their run is
done.
"""

import sqlite3
import time
from typing import NamedTuple

from engine.contract.events import Checkpoint
from engine.contract.jobs import ALIVE, FINAL, Job, JobState
from engine.store import fair_queue, leases, listing, queue, readers, run_rows
from engine.store.claims import ClaimedJob
from engine.store.errors import NoRun
from engine.store.index import Index
from engine.store.queue import Submission
from engine.store.run_rows import SHARD

PARENT = "parent"
_COMPLETE = (JobState.DONE, JobState.DIVERGED)


class Shard(NamedTuple):
    """What the run that waits for a shard is told of it.

    Args:
        job: Its job.
        checkpoint: Where to go on from, once nobody else does; None for the beginning.
    """

    job: Job
    checkpoint: Checkpoint | None = None

    @property
    def is_running(self) -> bool:
        """Return whether a worker computes it."""
        return self.job.state == JobState.RUNNING

    @property
    def is_complete(self) -> bool:
        """Return whether all its results are there."""
        return self.job.state in _COMPLETE and not self.job.damaged


def offer(index: Index, filing: Submission, parent: ClaimedJob) -> None:
    """Queue a shard, unless it is known; one that was cancelled goes on.

    Args:
        index: The store's index.
        filing: The shard.
        parent: Its run, as claimed by the worker that offers the shard.

    Raises:
        LeaseLost: If that worker no longer holds the run.
    """

    def change(db: sqlite3.Connection) -> None:
        leases.check_held(db, parent.key, parent.token)
        row = run_rows.find(db, filing.key)
        if row is None or row.damaged:
            workspace = run_rows.get(db, parent.key).workspace
            queue.file_new(db, filing._replace(kind=SHARD, workspace=workspace))
            run_rows.put_text(db, filing.key, PARENT, parent.key)
            run_rows.recount(db, filing.key)
        elif row.state == JobState.CANCELLED:
            run_rows.put(db, queue.requeue(db, row))

    index.write(change)


def take_back(index: Index, key: str) -> Shard | None:
    """Return a shard, and cancel it if it still waits for a worker.

    Args:
        index: The store's index.
        key: The shard's key.

    Returns:
        The shard; None if there is none. Unless it is running or complete, nobody
        computes it: whoever asked goes on from its checkpoint.
    """
    job = listing.job(index, key)
    if job is None:
        return None
    if job.state == JobState.QUEUED:
        index.write(lambda db: _cancel(db, key, {JobState.QUEUED}))
        job = listing.job(index, key)
    if job is None:
        return None
    shard = Shard(job)
    if shard.is_running or shard.is_complete or job.damaged:
        return shard
    return shard._replace(checkpoint=readers.checkpoint(index, key))


def jobs_of(index: Index, parent: str) -> list[Job]:
    """Return the shards of a run as jobs, in the order in which they were offered."""
    asked = f"SELECT {run_rows.COLUMNS} FROM runs WHERE key = ?"

    def ask(db: sqlite3.Connection) -> list[Job]:
        found = [db.execute(asked, (key,)).fetchone() for key in _keys_of(db, parent)]
        rows = [run_rows.parse_row(values) for values in found if values]
        return [row.to_job() for row in sorted(rows, key=lambda row: row.created)]

    return index.read(ask)


def cancel_all(index: Index, parent: str) -> None:
    """Cancel the shards of a run; what they computed stays for a resume."""

    def change(db: sqlite3.Connection) -> None:
        for key in _keys_of(db, parent):
            _cancel(db, key, set(JobState) - FINAL)

    if index.read(lambda db: _keys_of(db, parent)):
        index.write(change, last_resort=True)


def discard_all(index: Index, parent: str) -> None:
    """Delete the shards of a run, with their files."""
    for key in index.read(lambda db: _keys_of(db, parent)):
        queue.delete(index, key)


def discard_orphans(index: Index) -> None:
    """Delete the shards whose run is done or gone."""

    def ask(db: sqlite3.Connection) -> list[str]:
        found = db.execute("SELECT key FROM runs WHERE kind = ?", (SHARD,)).fetchall()
        return [key for (key,) in found if _is_orphan(db, key)]

    for key in index.read(ask):
        queue.delete(index, key)


def must_give_way(index: Index, key: str) -> bool:
    """Return whether a running shard is in the way of a run that waits for a worker.

    For each run that waits, the shard that was offered last gives way.
    """

    def ask(db: sqlite3.Connection) -> bool:
        # A visitor who computes as much as they may waits for themselves.
        waiting = fair_queue.count_eligible(db)
        last = db.execute(
            "SELECT key FROM runs WHERE state = ? AND kind = ?"
            " ORDER BY turn DESC LIMIT ?",
            (JobState.RUNNING, SHARD, waiting),
        ).fetchall()
        return (key,) in last

    return index.read(ask)


def _keys_of(db: sqlite3.Connection, parent: str) -> list[str]:
    found = db.execute("SELECT key, text FROM texts WHERE name = ?", (PARENT,))
    return [key for key, text in found if text == f'"{parent}"']


def _is_orphan(db: sqlite3.Connection, key: str) -> bool:
    try:
        parent = run_rows.find(db, run_rows.get_text(db, key, PARENT) or "")
    except NoRun:
        return False  # deleted meanwhile
    return parent is None or parent.state in _COMPLETE


def _cancel(db: sqlite3.Connection, key: str, states: set[JobState]) -> None:
    """Cancel a shard that is in one of these states."""
    row = run_rows.find(db, key)
    if row is None or row.damaged or JobState(row.state) not in states:
        return
    if row.state in ALIVE:
        leases.revoke(db, key)
    changed = row.with_state(JobState.CANCELLED, finished=time.time(), error="")
    run_rows.put(db, changed)
