"""Leases: which worker may write a run, renewed by its loop and checked by a sweep.

A lease identifies its holder by pid, start time and boot id, so a reused pid is
never mistaken for it. Ages are monotonic seconds, so a jump of the clock changes
nothing. Its token is a fencing token: every write carries it, so a worker that lost
its lease can no longer write.
"""

import os
import sqlite3
import time
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import psutil

from engine.contract.jobs import JobState
from engine.store import run_rows
from engine.store.errors import LeaseLost
from engine.store.index import Index

STALL = 60.0  # seconds without an event before a loop counts as hung
SLOW = 10.0  # or this many times its longest event, if that is longer
GRACE = 2.0  # seconds that a worker has to stop after its lease was revoked


class ProcessIdentity(NamedTuple):
    """A process, told apart from a later one with the same pid.

    `birth` is its start time in seconds after the machine's boot.
    """

    pid: int
    birth: float
    boot: str


class LeaseVerdict(NamedTuple):
    """What a sweep decided about one lease; `must_end`: kill its process."""

    key: str
    pid: int
    verdict: Literal["lost", "stalled", "revoked"]
    must_end: bool


@lru_cache(1)
def boot_id() -> str:
    """Return an id that is new at each boot of the machine."""
    linux = Path("/proc/sys/kernel/random/boot_id")
    if linux.exists():
        return linux.read_text().strip()
    return f"{psutil.boot_time():.0f}"


def birth_time(pid: int) -> float | None:
    """Return when a process started, in seconds after boot; None if it is dead."""
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return float(round(process.create_time() - psutil.boot_time(), 2))
    except psutil.Error:
        return None


def this_process() -> ProcessIdentity:
    """Return the identity of this process."""
    return ProcessIdentity(os.getpid(), birth_time(os.getpid()) or 0.0, boot_id())


def is_alive(process: ProcessIdentity) -> bool:
    """Say whether exactly this process still exists."""
    if process.boot != boot_id():
        return False
    birth = birth_time(process.pid)
    # the start time is derived from the wall clock and rounded to 10 ms
    return birth is not None and abs(birth - process.birth) < 0.05


def grant(
    db: sqlite3.Connection, key: str, holder: ProcessIdentity, share: float
) -> int:
    """Write a new lease.

    Args:
        db: An open write transaction.
        key: The run.
        holder: The process that may write it.
        share: Share of the run that was done before, 0 to 1; for the time left.

    Returns:
        The lease's token; later tokens are larger.
    """
    now = time.monotonic()
    cursor = db.execute(
        "INSERT INTO leases (key, pid, birth, boot, began, share, beat, longest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (key, *holder, now, share, now),
    )
    return int(cursor.lastrowid or 0)


def check_held(db: sqlite3.Connection, key: str, token: int) -> None:
    """Refuse unless this token still holds the run.

    Raises:
        LeaseLost: If it was cancelled, ended or given to another worker.
    """
    found = db.execute(
        "SELECT 1 FROM leases WHERE token = ? AND key = ? AND revoked IS NULL",
        (token, key),
    ).fetchone()
    if found is None:
        raise LeaseLost("this worker no longer holds the run")


def renew(
    db: sqlite3.Connection, token: int, longest: float, began: float | None
) -> None:
    """Record a heartbeat.

    Args:
        db: An open write transaction.
        token: The lease's token.
        longest: The longest time between two events of the loop so far, seconds.
        began: When the run's work began, monotonic seconds: at its first event, since
            the engine loads before what it needs; None if it has not.
    """
    db.execute(
        "UPDATE leases SET beat = ?, longest = ?, began = coalesce(?, began) "
        "WHERE token = ?",
        (time.monotonic(), longest, began, token),
    )


def revoke(db: sqlite3.Connection, key: str) -> None:
    """Revoke the lease of a run's holder; its next write is refused."""
    db.execute(
        "UPDATE leases SET revoked = ? WHERE key = ? AND revoked IS NULL",
        (time.monotonic(), key),
    )


def drop(db: sqlite3.Connection, token: int) -> None:
    """Delete a lease whose work is over."""
    db.execute("DELETE FROM leases WHERE token = ?", (token,))


def heartbeat_ages(db: sqlite3.Connection) -> dict[str, float]:
    """Return the seconds since each held run's last heartbeat."""
    now, boot = time.monotonic(), boot_id()
    found = db.execute("SELECT key, beat, boot FROM leases WHERE revoked IS NULL")
    # Monotonic times of an earlier boot mean nothing now.
    return {key: max(0.0, now - beat) for key, beat, of in found if of == boot}


class _Lease(NamedTuple):
    token: int
    key: str
    holder: ProcessIdentity
    beat: float
    longest: float
    revoked: float | None


def _leases(db: sqlite3.Connection) -> list[_Lease]:
    found = db.execute(
        "SELECT token, key, pid, birth, boot, beat, longest, revoked FROM leases"
    ).fetchall()
    return [_Lease(f[0], f[1], ProcessIdentity(*f[2:5]), *f[5:]) for f in found]


def sweep(index: Index, reasons: dict[int, str] | None = None) -> list[LeaseVerdict]:
    """Check every lease once: is its worker dead, hung or cancelled?

    Args:
        index: The store's index.
        reasons: Why a process died, by pid, where the caller knows.

    Returns:
        What was done about each lease that is not in order.
    """
    if not index.read(_needs_sweep):
        return []
    return index.write(lambda db: _sweep(db, reasons or {}), last_resort=True)


def _needs_sweep(db: sqlite3.Connection) -> bool:
    return bool(_unheld_keys(db)) or any(
        lease.revoked is not None
        or _seconds_overdue(lease) > 0
        or not is_alive(lease.holder)
        for lease in _leases(db)
    )


def _seconds_overdue(lease: _Lease) -> float:
    age = time.monotonic() - lease.beat
    return age - max(STALL, SLOW * lease.longest)


def _sweep(db: sqlite3.Connection, reasons: dict[int, str]) -> list[LeaseVerdict]:
    verdicts = [_judge_lease(db, lease, reasons) for lease in _leases(db)]
    verdicts += _lose_unheld(db)
    return [verdict for verdict in verdicts if verdict is not None]


def _judge_lease(
    db: sqlite3.Connection, lease: _Lease, reasons: dict[int, str]
) -> LeaseVerdict | None:
    now, pid = time.monotonic(), lease.holder.pid
    if not is_alive(lease.holder):
        drop(db, lease.token)
        if lease.revoked is not None:
            return LeaseVerdict(lease.key, pid, "revoked", False)
        _mark_lost(db, lease.key, reasons.get(pid, "its worker died without an error"))
        return LeaseVerdict(lease.key, pid, "lost", False)
    if lease.revoked is not None:
        late = now - lease.revoked > GRACE
        return LeaseVerdict(lease.key, pid, "revoked", True) if late else None
    if _seconds_overdue(lease) <= 0:
        return None
    revoke(db, lease.key)
    return _handle_overdue(db, lease, now - lease.beat)


def _handle_overdue(db: sqlite3.Connection, lease: _Lease, age: float) -> LeaseVerdict:
    """Requeue the run of a stopped process; stall that of a hung loop.

    A hung loop would hang again, so only the user restarts it.
    """
    pid = lease.holder.pid
    if _is_stopped(pid):
        _mark_lost(db, lease.key, f"its worker was stopped for {age:.0f} s")
        return LeaseVerdict(lease.key, pid, "lost", True)
    row = run_rows.get(db, lease.key)
    error = f"no heartbeat for {age:.0f} s: the loop hangs"
    run_rows.put(
        db, row.with_state(JobState.STALLED, error=error, finished=time.time())
    )
    return LeaseVerdict(lease.key, pid, "stalled", True)


def _is_stopped(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def _mark_lost(db: sqlite3.Connection, key: str, why: str) -> None:
    """Mark a run lost; the first time it is requeued automatically."""
    row = run_rows.find(db, key)
    if row is None or row.state != JobState.RUNNING:
        return
    row = row.with_state(
        JobState.LOST, error=why, finished=time.time(), lost=row.lost + 1
    )
    if row.lost == 1:  # only once: a run that kills its worker would do so for ever
        row = row.with_state(JobState.QUEUED, finished=None)  # its place is kept
    run_rows.put(db, row)


def _unheld_keys(db: sqlite3.Connection) -> list[str]:
    found = db.execute(
        "SELECT key FROM runs WHERE state = ? AND key NOT IN"
        " (SELECT key FROM leases WHERE revoked IS NULL)",
        (JobState.RUNNING,),
    )
    return [key for (key,) in found]


def _lose_unheld(db: sqlite3.Connection) -> list[LeaseVerdict | None]:
    """Mark the runs lost that are marked running but have no lease."""
    keys = _unheld_keys(db)
    for key in keys:
        _mark_lost(db, key, "no worker has a lease on it")
    return [LeaseVerdict(key, 0, "lost", False) for key in keys]
