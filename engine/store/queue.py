"""The queue: the state changes that a user or a worker asks for.

Each is one transaction, so that concurrent requests, such as two clicks or a click and
a worker, take effect one after the other.
"""

import sqlite3
import time
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from engine.contract.events import Checkpoint
from engine.contract.jobs import ALIVE, FINAL, RESUMABLE, Job, JobState
from engine.contract.run_spec import RunSpec
from engine.contract.text_decoding import clean
from engine.store import (
    annotations,
    files,
    followers,
    index_entry_backup,
    leases,
    listing,
    readers,
    run_files,
    run_groups,
    run_rows,
)
from engine.store.errors import DamagedRun, NoRun
from engine.store.index import Index

OPERATOR = "local"  # the workspace of whoever runs this lab, its only one by default


class Submission(NamedTuple):
    """A run to be queued; see `Store.submit` for the fields.

    `kind` is "run", "tuning" for the sub-run of a tuned baseline, or "shard".
    """

    spec: RunSpec
    key: str
    title: str = ""
    workspace: str = OPERATOR
    kind: str = "run"

    def first_row(self, state: JobState, turn: int) -> run_rows.RunRow:
        """Return the row that the run begins with.

        Args:
            state: Its state.
            turn: Its place in the queue's order, from `run_rows.next_turn`.
        """
        return run_rows.RunRow(
            key=run_rows.check_key(self.key),
            kind=self.kind,
            workspace=self.workspace,
            state=str(state),
            title=clean(self.title),
            about=describe_spec(self.spec),
            created=time.time(),
            turn=turn,
        )


class ClaimedJob(NamedTuple):
    """A job that this worker holds, and the checkpoint to continue from, if any."""

    key: str
    spec: RunSpec
    token: int
    checkpoint: Checkpoint | None
    kind: str = "run"


def describe_spec(spec: RunSpec) -> str:
    """Return the family, learners and shifts of a run, as text that can be searched."""
    labels = [choice.label or choice.name for choice in spec.learners]
    words = [spec.family.name, ", ".join(labels)]
    words += [", ".join(choice.name for choice in spec.shifts)] if spec.shifts else []
    return " · ".join(words)


def submit(index: Index, filing: Submission, again: bool) -> Job:
    """Queue a run, unless it is already queued, running or done.

    Args:
        index: The store's index.
        filing: The run.
        again: Whether a stored result is discarded and recomputed.
    """
    run_rows.check_key(filing.key)
    found = listing.job(index, filing.key)
    same = found is not None and found.kind == filing.kind
    if found and same and (found.state in ALIVE or _is_complete(found, again)):
        return found
    stale = found is not None and found.state in FINAL and (again or found.damaged)
    if stale:  # the files first: a submit that is killed here can be repeated
        files.discard(index.home, files.run_folder(index.home, filing.key))
    index.write(lambda db: _submit(db, filing, again))
    index_entry_backup.write(index, filing.key)
    return _require_job(index, filing.key)


def _is_complete(found: Job, again: bool) -> bool:
    done = found.state in (JobState.DONE, JobState.DIVERGED)
    return done and not again and not found.damaged


def _submit(db: sqlite3.Connection, filing: Submission, again: bool) -> None:
    row = run_rows.find(db, filing.key)
    if row is not None and not row.damaged:
        job = row.to_job()
        if job.state in ALIVE or _is_complete(job, again):
            # A tuned baseline's sub-run that the user submits becomes a listed run.
            run_rows.put(db, replace(row, kind=filing.kind))
            return
        if job.state in RESUMABLE and not again:
            run_rows.put(db, requeue(db, row, kind=filing.kind))
            return
    file_new(db, filing)


def file_new(db: sqlite3.Connection, filing: Submission) -> None:
    """Queue a run from its beginning, in place of whatever has its key.

    Args:
        db: An open write transaction.
        filing: The run.
    """
    # A new start stays in its groups and keeps tags, note and who waits for it.
    kept = run_groups.memberships(db, filing.key) | annotations.find(db, filing.key)
    kept |= followers.texts_of(db, filing.key)
    run_rows.forget(db, filing.key)
    leases.revoke(db, filing.key)
    run_rows.put(db, filing.first_row(JobState.QUEUED, run_rows.next_turn(db)))
    run_rows.put_text(db, filing.key, "spec", filing.spec.model_dump(mode="json"))
    for name, value in kept.items():
        run_rows.put_text(db, filing.key, name, value)
    run_rows.recount(db, filing.key)


def requeue(
    db: sqlite3.Connection, row: run_rows.RunRow, kind: str = ""
) -> run_rows.RunRow:
    """Return the row of a run that goes on; the caller puts it.

    Args:
        db: An open write transaction.
        row: Of a run that ended without being done.
        kind: Its new kind; empty to keep it.
    """
    return row.with_state(
        JobState.QUEUED,
        turn=run_rows.next_turn(db),
        kind=kind or row.kind,
        lost=0,
        finished=None,
        error="",
    )


def cancel(index: Index, key: str) -> Job:
    """Cancel a run at once: its lease is revoked, so no later write is accepted."""
    index.write(lambda db: _cancel(db, run_rows.check_key(key)), last_resort=True)
    index_entry_backup.write(index, key)
    return _require_job(index, key)


def _cancel(db: sqlite3.Connection, key: str) -> None:
    row = run_rows.get(db, key)
    if JobState(row.state) in FINAL:
        return
    leases.revoke(db, key)
    run_rows.put(db, row.with_state(JobState.CANCELLED, finished=time.time(), error=""))


def resume(index: Index, key: str) -> Job:
    """Requeue an ended but unfinished run; a queued or running one is left as it is.

    Raises:
        IllegalTransition: If it is done or diverged.
    """

    def change(db: sqlite3.Connection) -> None:
        row = run_rows.get(db, run_rows.check_key(key))
        if JobState(row.state) not in ALIVE:
            run_rows.put(db, requeue(db, row))

    index.write(change)
    return _require_job(index, key)


def rename(index: Index, key: str, title: str) -> Job:
    """Give a run another title."""

    def change(db: sqlite3.Connection) -> None:
        row = run_rows.get(db, run_rows.check_key(key))
        run_rows.put(db, replace(row, title=clean(title)))

    index.write(change)
    index_entry_backup.write(index, key)
    return _require_job(index, key)


def delete(index: Index, key: str) -> None:
    """Delete a run; its files first, so that a killed delete can be repeated.

    Raises:
        NoRun: If there is no such run.
    """
    run_rows.check_key(key)
    if listing.job(index, key) is None:
        raise NoRun(key)
    files.discard(index.home, files.run_folder(index.home, key))

    def change(db: sqlite3.Connection) -> None:
        run_rows.forget(db, key)
        leases.revoke(db, key)

    index.write(change, last_resort=True)
    # again: its worker may have written a file before its lease was revoked
    files.discard(index.home, files.run_folder(index.home, key))


def claim(index: Index) -> ClaimedJob | None:
    """Claim the job that has waited longest; shards come after all others.

    Returns:
        The job, under a new lease of this process; None if no job is waiting.
    """
    while index.read(_next_waiting_key):  # a look that takes no write lock
        taken = index.write(_claim_next)
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


def _next_waiting_key(db: sqlite3.Connection) -> str | None:
    found = db.execute(
        f"SELECT key FROM runs WHERE state = ? ORDER BY {run_rows.QUEUE_ORDER} LIMIT 1",
        (JobState.QUEUED,),
    ).fetchone()
    return found[0] if found else None


def _claim_next(db: sqlite3.Connection) -> tuple[str, int, str] | None:
    key = _next_waiting_key(db)
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
    return key, leases.grant(db, key, holder, row.done), row.kind


def _require_job(index: Index, key: str) -> Job:
    job = listing.job(index, key)
    if job is None:
        raise NoRun(key)
    return job
