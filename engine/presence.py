"""Whether a store's supervisor is there: seen, started and stopped from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from engine.store import default_home, files, leases
from engine.store.leases import Process

ROOT = Path(__file__).resolve().parents[1]


class Status(NamedTuple):
    """Whether a supervisor is there, and which; true if it is."""

    alive: bool
    pid: int | None = None
    workers: int = 0

    def __bool__(self) -> bool:
        return self.alive


class SupervisorError(RuntimeError):
    """The supervisor could not be started or stopped; one line."""


def alive(home: Path | None = None) -> Status:
    """Say whether a supervisor tends this store; imports no torch, waits never."""
    home = home or default_home()
    if not (home / "supervisor.lock").exists():
        return Status(False)
    lock = FileLock(home / "supervisor.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        told = _told(home)
        return Status(True, told.get("pid"), told.get("workers", 0))
    except OSError:
        return Status(False)
    lock.release()
    return Status(False)


def _told(home: Path) -> dict[str, int]:
    try:
        told = json.loads((home / "supervisor.json").read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def wake(home: Path | None = None, wait: float = 10.0) -> Status:
    """Start a supervisor in a session of its own, unless one is there.

    Raises:
        SupervisorError: If none is alive after `wait` seconds.
    """
    home = home or default_home()
    if found := alive(home):
        return found
    files.make_folder(home)
    command = [sys.executable, "-m", "engine", "supervise"]
    with open(home / "supervisor.log", "ab") as log:
        started = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "METASCOPE_HOME": str(home.absolute())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _started.append(started)
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline and started.poll() is None:
        if found := alive(home):
            return found
        time.sleep(0.05)
    if found := alive(home):  # another one was first
        return found
    raise SupervisorError(f"the engine did not start; see {home / 'supervisor.log'}")


_started: list[subprocess.Popen[bytes]] = []  # kept, so that each is reaped


def stop(home: Path | None = None, wait: float = 15.0) -> bool:
    """Ask the supervisor to end its workers and itself; says whether it has."""
    home = home or default_home()
    if not alive(home):
        return True
    told = _told(home)
    who = Process(told.get("pid", 0), told.get("birth", 0.0), str(told.get("boot")))
    if leases.lives(who):
        os.kill(who.pid, signal.SIGTERM)
    deadline = time.monotonic() + wait
    while alive(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    for each in _started:
        each.poll()
    return not alive(home)
