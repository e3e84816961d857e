"""Start, stop and query a store's supervisor from another process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from engine.executors.restart_delay import RestartDelay
from engine.store import Store, default_home, files, leases
from engine.store.leases import ProcessIdentity

# The identity of the store that a process shall use; it then creates none.
STORE = "METASCOPE_STORE"
ROOT = Path(__file__).resolve().parents[2]


class SupervisorStatus(NamedTuple):
    """What is known of a store's supervisor; true if it is alive.

    Args:
        alive: Whether it is.
        pid: Its process id.
        workers: How many workers it has.
        deaths: How many workers died in a row before they took a run.
        since: Seconds since the first of these deaths.
        reason: How the last of them died.
        wait: Seconds until the next worker is started.
    """

    alive: bool
    pid: int | None = None
    workers: int = 0
    deaths: int = 0
    since: float = 0.0
    reason: str = ""
    wait: float = 0.0

    def __bool__(self) -> bool:
        return self.alive

    @property
    def trouble(self) -> str:
        """Return why no worker can start; empty if workers are alive.

        >>> SupervisorStatus(True, deaths=3, since=75,
        ...     reason="was killed by SIGSEGV").trouble
        'No worker can start: 3 died in 75 s, the last was killed by SIGSEGV; the next \
one is starting. The file supervisor.log in the store says more.'
        """
        if not self.deaths:
            return ""
        soon = f"starts in {self.wait:.0f} s" if self.wait >= 1 else "is starting"
        return (
            f"No worker can start: {self.deaths} died in {self.since:.0f} s, the last "
            f"{self.reason}; the next one {soon}. The file supervisor.log in the store "
            "says more."
        )


class SupervisorError(RuntimeError):
    """The supervisor could not be started or stopped; one line."""


def supervisor_status(home: Path | None = None) -> SupervisorStatus:
    """Return whether a supervisor serves this store; never blocks, needs no torch.

    Args:
        home: The store's folder; the default one if None.
    """
    home = home or default_home()
    if not (home / "supervisor.lock").exists():
        return SupervisorStatus(False)
    lock = FileLock(home / "supervisor.lock")
    # The system drops the lock with its process, so a held one proves that it lives.
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _parse_status(_read_status_file(home))
    except OSError:
        return SupervisorStatus(False)
    lock.release()
    return SupervisorStatus(False)


def _read_status_file(home: Path) -> dict[str, Any]:
    """Return the supervisor's status file; empty if it cannot be read."""
    try:
        note = json.loads((home / "supervisor.json").read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _parse_status(note: dict[str, Any]) -> SupervisorStatus:
    now = time.monotonic()
    try:
        deaths = RestartDelay(**note.get("deaths", {}))
    except TypeError:  # another version's note
        deaths = RestartDelay()
    return SupervisorStatus(
        True,
        note.get("pid"),
        note.get("workers", 0),
        deaths.count,
        max(0.0, now - deaths.since) if deaths.count else 0.0,
        deaths.reason,
        max(0.0, deaths.next_start - now),
    )


def start_supervisor(home: Path | None = None, wait: float = 10.0) -> SupervisorStatus:
    """Start a supervisor in a session of its own, unless one is alive.

    Args:
        home: The store's folder; the default one if None.
        wait: Seconds to wait until it is alive.

    Returns:
        The status of the supervisor that is alive.

    Raises:
        SupervisorError: If none is alive after `wait` seconds.
        StoreGone: If there is no store; none is created.
    """
    home = home or default_home()
    if found := supervisor_status(home):
        return found
    started = _spawn_supervisor(home)
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline and started.poll() is None:
        if found := supervisor_status(home):
            return found
        time.sleep(0.05)
    if found := supervisor_status(home):  # another process's supervisor came first
        return found
    raise SupervisorError(f"the engine did not start; see {home / 'supervisor.log'}")


def _spawn_supervisor(home: Path) -> "subprocess.Popen[bytes]":
    Store(home).check_in_place()
    log = os.open(
        home / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )
    try:
        started = subprocess.Popen(
            [sys.executable, "-m", "engine", "supervise"],
            cwd=ROOT,
            env={
                **os.environ,
                "METASCOPE_HOME": str(home.absolute()),
                STORE: files.folder_identity(home) or "",
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    _started_processes.append(started)
    return started


_started_processes: list[subprocess.Popen[bytes]] = []  # to be polled: no zombies


def stop_supervisor(home: Path | None = None, wait: float = 15.0) -> bool:
    """Ask the supervisor to stop its workers and itself.

    Args:
        home: The store's folder; the default one if None.
        wait: Seconds to wait until it has stopped.

    Returns:
        Whether it has stopped, or none was alive.
    """
    home = home or default_home()
    if not supervisor_status(home):
        return True
    note = _read_status_file(home)
    who = ProcessIdentity(
        note.get("pid", 0), note.get("birth", 0.0), str(note.get("boot"))
    )
    if leases.is_alive(who):  # never signal another process that got its number
        os.kill(who.pid, signal.SIGTERM)
    deadline = time.monotonic() + wait
    while supervisor_status(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    for each in _started_processes:
        each.poll()
    return not supervisor_status(home)
