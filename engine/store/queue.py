"""The queue: every way in which a job changes its state by someone's wish.

Each is one transaction, so two clicks, two workers or a click and a worker
meet in some order and never half-way.
"""

import sqlite3
import time
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from engine.contract.events import Checkpoint
from engine.contract.jobs import ALIVE, FINAL, RESUMABLE, Job, JobState
from engine.contract.runs import RunSpec
from engine.contract.text_input import clean
from engine.store import (
    files,
    leases,
    listing,
    readers,
    run_files,
    run_metadata,
    run_rows,
)
from engine.store.errors import DamagedRun, NoRun
from engine.store.index import Index


class Submission(NamedTuple):
    """What is filed: a completed spec under its key, and what it is called."""

    spec: RunSpec
    key: str
    title: str = ""
    workspace: str = "local"
    kind: str = "run"

    def first_row(self, state: JobState, turn: int) -> run_rows.RunRow:
        """Return its first row."""
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
    """A job that this worker holds: what to run, and where to go on from."""

    key: str
    spec: RunSpec
    token: int
    checkpoint: Checkpoint | None


def describe_spec(spec: RunSpec) -> str:
    """Say what a run is made of, in words that a list can be searched by."""
    labels = [choice.label or choice.name for choice in spec.learners]
    words = [spec.family.name, ", ".join(labels)]
    words += [", ".join(choice.name for choice in spec.shifts)] if spec.shifts else []
    return " · ".join(words)


def submit(index: Index, filing: Submission, again: bool) -> Job:
    """File a run and queue it, unless it is there already."""
    run_rows.check_key(filing.key)
    found = listing.job(index, filing.key)
    same = found is not None and found.kind == filing.kind
    if found and same and (found.state in ALIVE or _is_complete(found, again)):
        return found
    stale = found is not None and found.state in FINAL and (again or found.damaged)
    if stale:
        files.discard(index.home, files.run_folder(index.home, filing.key))
    index.write(lambda db: _submit(db, filing, again))
    run_metadata.write(index, filing.key)
    return _require_job(index, filing.key)


def _is_complete(found: Job, again: bool) -> bool:
    done = found.state in (JobState.DONE, JobState.DIVERGED)
    return done and not again and not found.damaged


def _submit(db: sqlite3.Connection, filing: Submission, again: bool) -> None:
    row = run_rows.find(db, filing.key)
    if row is not None and not row.damaged:
        job = row.to_job()
        if job.state in ALIVE or _is_complete(job, again):
            run_rows.put(
                db, replace(row, kind=filing.kind)
            )  # a sub-run may be asked for
            return
        if job.state in RESUMABLE and not again:
            run_rows.put(db, _requeue(db, row, kind=filing.kind))
            return
    run_rows.forget(db, filing.key)
    leases.revoke(db, filing.key)
    run_rows.put(db, filing.first_row(JobState.QUEUED, run_rows.next_turn(db)))
    run_rows.put_text(db, filing.key, "spec", filing.spec.model_dump(mode="json"))
    run_rows.recount(db, filing.key)


def _requeue(
    db: sqlite3.Connection, row: run_rows.RunRow, kind: str = ""
) -> run_rows.RunRow:
    return row.with_state(
        JobState.QUEUED,
        turn=run_rows.next_turn(db),
        kind=kind or row.kind,
        lost=0,
        finished=None,
        error="",
    )


def cancel(index: Index, key: str) -> Job:
    """End a run at once: its lease is taken, so no later write is accepted."""
    index.write(lambda db: _cancel(db, run_rows.check_key(key)), last_resort=True)
    run_metadata.write(index, key)
    return _require_job(index, key)


def _cancel(db: sqlite3.Connection, key: str) -> None:
    row = run_rows.get(db, key)
    if JobState(row.state) in FINAL:
        return
    leases.revoke(db, key)
    run_rows.put(db, row.with_state(JobState.CANCELLED, finished=time.time(), error=""))


def resume(index: Index, key: str) -> Job:
    """Queue an ended but unfinished run again; one that is alive stays as it is."""

    def change(db: sqlite3.Connection) -> None:
        row = run_rows.get(db, run_rows.check_key(key))
        if JobState(row.state) not in ALIVE:
            run_rows.put(db, _requeue(db, row))

    index.write(change)
    return _require_job(index, key)


def rename(index: Index, key: str, title: str) -> Job:
    """Give a run another title."""

    def change(db: sqlite3.Connection) -> None:
        row = run_rows.get(db, run_rows.check_key(key))
        run_rows.put(db, replace(row, title=clean(title)))

    index.write(change)
    run_metadata.write(index, key)
    return _require_job(index, key)


def delete(index: Index, key: str) -> None:
    """Remove a run: first its files, so that a killed delete can be repeated."""
    run_rows.check_key(key)
    if listing.job(index, key) is None:
        raise NoRun(key)
    files.discard(index.home, files.run_folder(index.home, key))

    def change(db: sqlite3.Connection) -> None:
        run_rows.forget(db, key)
        leases.revoke(db, key)

    index.write(change, last_resort=True)
    files.discard(index.home, files.run_folder(index.home, key))


def claim(index: Index) -> ClaimedJob | None:
    """Take the job that has waited longest; none if none waits."""
    while index.read(_next_waiting_key):
        taken = index.write(_claim_next)
        if taken is None:
            return None
        key, token = taken
        files.make_folder(files.run_folder(index.home, key))
        try:
            spec = readers.spec(index, key)
            return ClaimedJob(key, spec, token, readers.checkpoint(index, key))
        except NoRun:
            continue  # deleted meanwhile
        except DamagedRun as damage:
            index.write(partial(_fail_damaged, damage))
    return None


def _fail_damaged(damage: DamagedRun, db: sqlite3.Connection) -> None:
    """End a run whose spec cannot be read; there is nothing to compute."""
    leases.revoke(db, damage.key)
    row = run_rows.get(db, damage.key)
    if row.state == JobState.RUNNING:
        failed = row.with_state(
            JobState.FAILED, finished=time.time(), error=str(damage)
        )
        run_rows.put(db, replace(failed, damaged=damage.what))


def _next_waiting_key(db: sqlite3.Connection) -> str | None:
    found = db.execute(
        "SELECT key FROM runs WHERE state = ? ORDER BY turn LIMIT 1",
        (JobState.QUEUED,),
    ).fetchone()
    return found[0] if found else None


def _claim_next(db: sqlite3.Connection) -> tuple[str, int] | None:
    key = _next_waiting_key(db)
    if key is None:
        return None
    row = run_rows.get(db, key)
    if row.damaged:  # start over: its files are not what was written
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
    return key, leases.grant(db, key, holder, row.done)


def _require_job(index: Index, key: str) -> Job:
    job = listing.job(index, key)
    if job is None:
        raise NoRun(key)
    return job
