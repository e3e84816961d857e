"""The queue: the state changes that a user or a worker asks for.

Each is one transaction, so that concurrent requests, such as two clicks or a click and
a worker, take effect one after the other.
"""

import sqlite3
import time
from dataclasses import replace
from typing import NamedTuple

from engine.contract.jobs import ALIVE, FINAL, RESUMABLE, Job, JobState
from engine.contract.run_spec import RunSpec
from engine.contract.text_decoding import clean
from engine.store import (
    annotations,
    fair_queue,
    files,
    followers,
    index_entry_backup,
    leases,
    listing,
    run_groups,
    run_rows,
)
from engine.store.errors import NoRun, OverLimit, QueueFull
from engine.store.fair_queue import OPERATOR, Quota
from engine.store.index import Index


class Submission(NamedTuple):
    """A run to be queued; see `Store.submit` for the first fields.

    Args:
        spec: Completed.
        key: Its run key.
        title: Shown in lists.
        workspace: Whose lists show it, and whose share of the queue it uses.
        kind: "run", "tuning" for the sub-run of a tuned baseline, or "shard".
        cost: Its estimated seconds on one core; None if they are not known.
        quota: How many runs the workspace may have in the queue; None for any number.
            The workspace then follows the run: others cannot cancel it.
    """

    spec: RunSpec
    key: str
    title: str = ""
    workspace: str = OPERATOR
    kind: str = "run"
    cost: float | None = None
    quota: Quota | None = None

    def first_row(self, state: JobState, turn: int) -> run_rows.RunRow:
        """Return the row that the run begins with.

        Args:
            state: Its state.
            turn: Its place in the queue's order.
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

    Raises:
        QueueFull: If its workspace has as many runs in the queue as it may.
        OverLimit: If it has reached a limit of the demo before.
    """
    run_rows.check_key(filing.key)
    found = listing.job(index, filing.key)
    same = found is not None and found.kind == filing.kind
    if found and same and _is_known(found, filing, again):
        return found
    stale = found is not None and found.state in FINAL and (again or found.damaged)
    if stale:  # the files first: a submit that is killed here can be repeated
        files.discard(index.home, files.run_folder(index.home, filing.key))
    try:
        index.write(lambda db: _submit(db, filing, again))
    except (QueueFull, OverLimit):
        index.write(fair_queue.count_refusal)
        raise
    index_entry_backup.write(index, filing.key)
    return _require_job(index, filing.key)


def _is_known(found: Job, filing: Submission, again: bool) -> bool:
    """Whether a submission changes nothing."""
    is_shared = found.state in ALIVE and filing.quota is None
    return is_shared or _is_complete(found, again)


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
            _follow(db, filing)
            return
    if filing.quota is not None:
        fair_queue.check_quota(db, row, filing.workspace, filing.quota)
    goes_on = row is not None and not row.damaged and row.state in RESUMABLE
    if row is not None and goes_on and not again:
        asked = replace(row, workspace=filing.workspace)
        run_rows.put(db, requeue(db, asked, kind=filing.kind))
    else:
        file_new(db, filing)
    _follow(db, filing)


def _follow(db: sqlite3.Connection, filing: Submission) -> None:
    if filing.quota is not None and run_rows.get(db, filing.key).state in ALIVE:
        followers.add(db, filing.key, filing.workspace)


def leave(index: Index, key: str, workspace: str) -> None:
    """Note that a workspace no longer waits for a run; cancel what nobody waits for.

    Args:
        index: The shared store's index.
        key: The run's key.
        workspace: The workspace that leaves.
    """

    def change(db: sqlite3.Connection) -> None:
        row = run_rows.find(db, key)
        if row is None:
            return
        followers.remove(db, key, workspace)
        if JobState(row.state) not in ALIVE or row.workspace == OPERATOR:
            return  # no visitor cancels a run of the operator
        others = followers.workspaces(db, key)
        if not others:
            _cancel(db, key)
        elif row.workspace == workspace:  # it is theirs now, and counts as theirs
            held = run_rows.get(db, key)
            run_rows.put(db, replace(held, workspace=others[0]))

    index.write(change, last_resort=True)
    index_entry_backup.write(index, key)


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
    run_rows.put(db, filing.first_row(JobState.QUEUED, _next_turn(db, filing)))
    run_rows.put_text(db, filing.key, "spec", filing.spec.model_dump(mode="json"))
    if filing.cost is not None:
        run_rows.put_text(db, filing.key, fair_queue.COST, filing.cost)
    for name, value in kept.items():
        run_rows.put_text(db, filing.key, name, value)
    run_rows.recount(db, filing.key)


def _next_turn(db: sqlite3.Connection, filing: Submission) -> int:
    if filing.kind == run_rows.SHARD:
        return run_rows.next_turn(db)
    return fair_queue.next_place(db, filing.workspace, filing.cost or 1.0)


def requeue(
    db: sqlite3.Connection, row: run_rows.RunRow, kind: str = ""
) -> run_rows.RunRow:
    """Return the row of a run that goes on; the caller puts it.

    Args:
        db: An open write transaction.
        row: Of a run that ended without being done.
        kind: Its new kind; empty to keep it.
    """
    kind = kind or row.kind
    if kind == run_rows.SHARD:
        turn = run_rows.next_turn(db)
    else:
        cost = run_rows.get_text(db, row.key, fair_queue.COST) or 1.0
        turn = fair_queue.next_place(db, row.workspace, cost)
    return row.with_state(
        JobState.QUEUED,
        turn=turn,
        kind=kind,
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


def _require_job(index: Index, key: str) -> Job:
    job = listing.job(index, key)
    if job is None:
        raise NoRun(key)
    return job
