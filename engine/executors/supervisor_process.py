"""Whether a store's supervisor is there: seen, started and stopped from outside."""

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

STORE = "METASCOPE_STORE"  # tells a process which store is meant: it makes none
ROOT = Path(__file__).resolve().parents[2]


class SupervisorStatus(NamedTuple):
    """Whether a supervisor is there, and which; true if it is.

    `deaths` counts the workers that died in a row before they took a run, `since`
    is how many seconds ago the first one did, `reason` how the last one did, and
    `wait` how many seconds it is until the next one is started.
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
        """Say why no worker takes a run; empty where workers live.

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
    """Say whether a supervisor tends this store; imports no torch, waits never."""
    home = home or default_home()
    if not (home / "supervisor.lock").exists():
        return SupervisorStatus(False)
    lock = FileLock(home / "supervisor.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _parse_status(_read_status_file(home))
    except OSError:
        return SupervisorStatus(False)
    lock.release()
    return SupervisorStatus(False)


def _read_status_file(home: Path) -> dict[str, Any]:
    """Return what the supervisor says of itself; nothing where it cannot be read."""
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
    """Start a supervisor in a session of its own, unless one is there.

    Raises:
        SupervisorError: If none is alive after `wait` seconds.
        StoreGone: If there is no store; none is made.
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
    if found := supervisor_status(home):  # another one was first
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


_started_processes: list[subprocess.Popen[bytes]] = []  # kept, so that each is reaped


def stop_supervisor(home: Path | None = None, wait: float = 15.0) -> bool:
    """Ask the supervisor to end its workers and itself; says whether it has."""
    home = home or default_home()
    if not supervisor_status(home):
        return True
    note = _read_status_file(home)
    who = ProcessIdentity(
        note.get("pid", 0), note.get("birth", 0.0), str(note.get("boot"))
    )
    if leases.is_alive(who):
        os.kill(who.pid, signal.SIGTERM)
    deadline = time.monotonic() + wait
    while supervisor_status(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    for each in _started_processes:
        each.poll()
    return not supervisor_status(home)
