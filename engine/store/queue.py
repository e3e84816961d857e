"""The queue: every way in which a job changes its state by someone's wish.

Each is one transaction, so two clicks, two workers or a click and a worker
meet in some order and never half-way.
"""

import sqlite3
import time
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from engine.contract.blocks import Checkpoint
from engine.contract.jobs import ALIVE, FINAL, RESUMABLE, Job, JobState
from engine.contract.runs import RunSpec
from engine.contract.text_input import clean
from engine.store import files, leases, listing, readers, rows, run_files, run_metadata
from engine.store.errors import Damaged, NoRun
from engine.store.index import Index


class Filing(NamedTuple):
    """What is filed: a completed spec under its key, and what it is called."""

    spec: RunSpec
    key: str
    title: str = ""
    workspace: str = "local"
    kind: str = "run"

    def row(self, state: JobState, turn: int) -> rows.Row:
        """Return its first row."""
        return rows.Row(
            key=rows.check_key(self.key),
            kind=self.kind,
            workspace=self.workspace,
            state=str(state),
            title=clean(self.title),
            about=about(self.spec),
            created=time.time(),
            turn=turn,
        )


class Claim(NamedTuple):
    """A job that this worker holds: what to run, and where to go on from."""

    key: str
    spec: RunSpec
    token: int
    checkpoint: Checkpoint | None


def about(spec: RunSpec) -> str:
    """Say what a run is made of, in words that a list can be searched by."""
    labels = [choice.label or choice.name for choice in spec.learners]
    words = [spec.family.name, ", ".join(labels)]
    words += [", ".join(choice.name for choice in spec.shifts)] if spec.shifts else []
    return " · ".join(words)


def submit(index: Index, filing: Filing, again: bool) -> Job:
    """File a run and queue it, unless it is there already."""
    rows.check_key(filing.key)
    found = listing.job(index, filing.key)
    same = found is not None and found.kind == filing.kind
    if found and same and (found.state in ALIVE or _fine(found, again)):
        return found
    stale = found is not None and found.state in FINAL and (again or found.damaged)
    if stale:
        files.discard(index.home, files.run_folder(index.home, filing.key))
    index.write(lambda db: _submit(db, filing, again))
    run_metadata.write(index, filing.key)
    return _job(index, filing.key)


def _fine(found: Job, again: bool) -> bool:
    done = found.state in (JobState.DONE, JobState.DIVERGED)
    return done and not again and not found.damaged


def _submit(db: sqlite3.Connection, filing: Filing, again: bool) -> None:
    row = rows.find(db, filing.key)
    if row is not None and not row.damaged:
        job = row.job()
        if job.state in ALIVE or _fine(job, again):
            rows.put(db, replace(row, kind=filing.kind))  # a sub-run may be asked for
            return
        if job.state in RESUMABLE and not again:
            rows.put(db, _queued(db, row, kind=filing.kind))
            return
    rows.forget(db, filing.key)
    leases.revoke(db, filing.key)
    rows.put(db, filing.row(JobState.QUEUED, rows.next_turn(db)))
    rows.put_text(db, filing.key, "spec", filing.spec.model_dump(mode="json"))
    rows.recount(db, filing.key)


def _queued(db: sqlite3.Connection, row: rows.Row, kind: str = "") -> rows.Row:
    return row.moved(
        JobState.QUEUED,
        turn=rows.next_turn(db),
        kind=kind or row.kind,
        lost=0,
        finished=None,
        error="",
    )


def cancel(index: Index, key: str) -> Job:
    """End a run at once: its lease is taken, so no later write is accepted."""
    index.write(lambda db: _cancel(db, rows.check_key(key)), last_resort=True)
    run_metadata.write(index, key)
    return _job(index, key)


def _cancel(db: sqlite3.Connection, key: str) -> None:
    row = rows.get(db, key)
    if JobState(row.state) in FINAL:
        return
    leases.revoke(db, key)
    rows.put(db, row.moved(JobState.CANCELLED, finished=time.time(), error=""))


def resume(index: Index, key: str) -> Job:
    """Queue an ended but unfinished run again; one that is alive stays as it is."""

    def change(db: sqlite3.Connection) -> None:
        row = rows.get(db, rows.check_key(key))
        if JobState(row.state) not in ALIVE:
            rows.put(db, _queued(db, row))

    index.write(change)
    return _job(index, key)


def rename(index: Index, key: str, title: str) -> Job:
    """Give a run another title."""

    def change(db: sqlite3.Connection) -> None:
        row = rows.get(db, rows.check_key(key))
        rows.put(db, replace(row, title=clean(title)))

    index.write(change)
    run_metadata.write(index, key)
    return _job(index, key)


def delete(index: Index, key: str) -> None:
    """Remove a run: first its files, so that a killed delete can be repeated."""
    rows.check_key(key)
    if listing.job(index, key) is None:
        raise NoRun(key)
    files.discard(index.home, files.run_folder(index.home, key))

    def change(db: sqlite3.Connection) -> None:
        rows.forget(db, key)
        leases.revoke(db, key)

    index.write(change, last_resort=True)
    files.discard(index.home, files.run_folder(index.home, key))


def claim(index: Index) -> Claim | None:
    """Take the job that has waited longest; none if none waits."""
    while index.read(_waiting):
        taken = index.write(_claim)
        if taken is None:
            return None
        key, token = taken
        files.make_folder(files.run_folder(index.home, key))
        try:
            spec = readers.spec(index, key)
            return Claim(key, spec, token, readers.checkpoint(index, key))
        except NoRun:
            continue  # deleted meanwhile
        except Damaged as damage:
            index.write(partial(_fail, damage))
    return None


def _fail(damage: Damaged, db: sqlite3.Connection) -> None:
    """End a run whose spec cannot be read; there is nothing to compute."""
    leases.revoke(db, damage.key)
    row = rows.get(db, damage.key)
    if row.state == JobState.RUNNING:
        failed = row.moved(JobState.FAILED, finished=time.time(), error=str(damage))
        rows.put(db, replace(failed, damaged=damage.what))


def _waiting(db: sqlite3.Connection) -> str | None:
    found = db.execute(
        "SELECT key FROM runs WHERE state = ? ORDER BY turn LIMIT 1",
        (JobState.QUEUED,),
    ).fetchone()
    return found[0] if found else None


def _claim(db: sqlite3.Connection) -> tuple[str, int] | None:
    key = _waiting(db)
    if key is None:
        return None
    row = rows.get(db, key)
    if row.damaged:  # start over: its files are not what was written
        run_files.remove_all(db, key)
        row = replace(row, files=0)
    holder = leases.me()
    running = row.moved(
        JobState.RUNNING,
        started=time.time(),
        finished=None,
        attempt=row.attempt + 1,
        worker=str(holder.pid),
        error="",
        damaged="",
    )
    rows.put(db, running)
    return key, leases.grant(db, key, holder, row.done)


def _job(index: Index, key: str) -> Job:
    job = listing.job(index, key)
    if job is None:
        raise NoRun(key)
    return job
