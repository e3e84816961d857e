"""Claims: a worker takes the next run of the queue, under a lease."""

import sqlite3
import time
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from engine.contract.events import Checkpoint
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec
from engine.store import fair_queue, files, leases, readers, run_files, run_rows
from engine.store.errors import DamagedRun, NoRun
from engine.store.index import Index


class ClaimedJob(NamedTuple):
    """A job that this worker holds, and the checkpoint to continue from, if any."""

    key: str
    spec: RunSpec
    token: int
    checkpoint: Checkpoint | None
    kind: str = "run"


def claim(index: Index, only: str = "") -> ClaimedJob | None:
    """Claim the job that is next; shards come after all others.

    Args:
        index: The store's index.
        only: The key of the one job to claim, whatever waits before it; empty for any.

    Returns:
        The job, under a new lease of this process; None if no job is waiting.
    """
    # A look that takes no write lock comes first.
    while index.read(partial(_next_waiting_key, only=only)):
        taken = index.write(partial(_claim_next, only=only))
        if taken is None:
            return None
        key, token, kind = taken
        files.make_folder(files.run_folder(index.home, key))
        try:
            spec = readers.spec(index, key)
            point = readers.checkpoint(index, key)
            return ClaimedJob(key, spec, token, point, kind)
        except NoRun:
            continue  # deleted meanwhile
        except DamagedRun as damage:
            index.write(partial(_fail_damaged, damage))
    return None


def _fail_damaged(damage: DamagedRun, db: sqlite3.Connection) -> None:
    """Mark a run failed whose spec is damaged: there is nothing to compute."""
    leases.revoke(db, damage.key)
    row = run_rows.get(db, damage.key)
    if row.state == JobState.RUNNING:
        failed = row.with_state(
            JobState.FAILED, finished=time.time(), error=str(damage)
        )
        run_rows.put(db, replace(failed, damaged=damage.what))


def _next_waiting_key(db: sqlite3.Connection, only: str = "") -> str | None:
    if only:
        row = run_rows.find(db, only)
        return only if row is not None and row.state == JobState.QUEUED else None
    return next(iter(fair_queue.eligible_keys(db, 1)), None)


def _claim_next(db: sqlite3.Connection, only: str = "") -> tuple[str, int, str] | None:
    key = _next_waiting_key(db, only)
    if key is None:
        return None
    row = run_rows.get(db, key)
    if row.damaged:  # start over: its files cannot be trusted
        run_files.remove_all(db, key)
        row = replace(row, files=0)
    holder = leases.this_process()
    running = row.with_state(
        JobState.RUNNING,
        started=time.time(),
        finished=None,
        attempt=row.attempt + 1,
        worker=str(holder.pid),
        error="",
        damaged="",
    )
    run_rows.put(db, running)
    fair_queue.note_claim(db, running)
    return key, leases.grant(db, key, holder, row.done), row.kind
