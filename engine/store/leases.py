"""Who may write a run: leases renewed by the loop itself, judged by a sweep.

A lease names its holder by pid, birth and boot id, so a reused pid is never
mistaken for it; ages are monotonic seconds, so a clock jump of days changes
nothing; its token fences every write, so a worker that comes back late is
refused.
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
SLOW = 10.0  # or so many times its longest event, where that is more
GRACE = 2.0  # seconds that a worker has to answer a cancel


class ProcessIdentity(NamedTuple):
    """A process that cannot be confused with a later one of its number.

    `birth` is seconds after the machine's start.
    """

    pid: int
    birth: float
    boot: str


class LeaseVerdict(NamedTuple):
    """What a sweep did with one lease; `must_end` asks to end the process."""

    key: str
    pid: int
    verdict: Literal["lost", "stalled", "revoked"]
    must_end: bool


@lru_cache(1)
def boot_id() -> str:
    """Return what names this start of the machine."""
    linux = Path("/proc/sys/kernel/random/boot_id")
    if linux.exists():
        return linux.read_text().strip()
    return f"{psutil.boot_time():.0f}"


def birth_time(pid: int) -> float | None:
    """Return when a process began, seconds after the boot; none if it is dead."""
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
    return birth is not None and abs(birth - process.birth) < 0.05


def grant(
    db: sqlite3.Connection, key: str, holder: ProcessIdentity, share: float
) -> int:
    """Write a new lease and return its token; later tokens are larger."""
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


def renew(db: sqlite3.Connection, token: int, longest: float) -> None:
    """Record a sign of life."""
    db.execute(
        "UPDATE leases SET beat = ?, longest = ? WHERE token = ?",
        (time.monotonic(), longest, token),
    )


def revoke(db: sqlite3.Connection, key: str) -> None:
    """Take a run from whoever holds it; its next write is refused."""
    db.execute(
        "UPDATE leases SET revoked = ? WHERE key = ? AND revoked IS NULL",
        (time.monotonic(), key),
    )


def drop(db: sqlite3.Connection, token: int) -> None:
    """Hand a lease back."""
    db.execute("DELETE FROM leases WHERE token = ?", (token,))


def heartbeat_ages(db: sqlite3.Connection) -> dict[str, float]:
    """Return the seconds since each held run's last sign of life."""
    now, boot = time.monotonic(), boot_id()
    found = db.execute("SELECT key, beat, boot FROM leases WHERE revoked IS NULL")
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
    """Judge every lease once.

    Args:
        index: The store's index.
        reasons: How processes ended, by pid, where that is known.
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
    fates = [_judge_lease(db, lease, reasons) for lease in _leases(db)]
    fates += _lose_unheld(db)
    return [fate for fate in fates if fate is not None]


def _judge_lease(
    db: sqlite3.Connection, lease: _Lease, reasons: dict[int, str]
) -> LeaseVerdict | None:
    now, pid = time.monotonic(), lease.holder.pid
    if not is_alive(lease.holder):
        drop(db, lease.token)
        if lease.revoked is not None:
            return LeaseVerdict(lease.key, pid, "revoked", False)
        _mark_lost(db, lease.key, reasons.get(pid, "its worker ended without a word"))
        return LeaseVerdict(lease.key, pid, "lost", False)
    if lease.revoked is not None:
        late = now - lease.revoked > GRACE
        return LeaseVerdict(lease.key, pid, "revoked", True) if late else None
    if _seconds_overdue(lease) <= 0:
        return None
    revoke(db, lease.key)
    return _handle_overdue(db, lease, now - lease.beat)


def _handle_overdue(db: sqlite3.Connection, lease: _Lease, age: float) -> LeaseVerdict:
    """Tell a stopped process, which is replaced, from a hung loop, which is not."""
    pid = lease.holder.pid
    if _is_stopped(pid):
        _mark_lost(db, lease.key, f"its worker was stopped for {age:.0f} s")
        return LeaseVerdict(lease.key, pid, "lost", True)
    row = run_rows.get(db, lease.key)
    error = f"no sign of life for {age:.0f} s: the loop hangs"
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
    """Mark a run lost; the first time it goes back to the queue by itself."""
    row = run_rows.find(db, key)
    if row is None or row.state != JobState.RUNNING:
        return
    row = row.with_state(
        JobState.LOST, error=why, finished=time.time(), lost=row.lost + 1
    )
    if row.lost == 1:
        row = row.with_state(
            JobState.QUEUED, turn=run_rows.next_turn(db), finished=None
        )
    run_rows.put(db, row)


def _unheld_keys(db: sqlite3.Connection) -> list[str]:
    found = db.execute(
        "SELECT key FROM runs WHERE state = ? AND key NOT IN"
        " (SELECT key FROM leases WHERE revoked IS NULL)",
        (JobState.RUNNING,),
    )
    return [key for (key,) in found]


def _lose_unheld(db: sqlite3.Connection) -> list[LeaseVerdict | None]:
    """Lose the runs that say running while nobody holds them."""
    keys = _unheld_keys(db)
    for key in keys:
        _mark_lost(db, key, "no worker holds it")
    return [LeaseVerdict(key, 0, "lost", False) for key in keys]
