"""Wakes the engine: one supervisor per store, a process that outlives the page."""

import subprocess
import sys
import threading
from pathlib import Path

from app.catalogue import ROOT

_lock = threading.Lock()
_started: dict[Path, "subprocess.Popen[bytes]"] = {}


def awake(home: Path) -> bool:
    """Whether a supervisor of this store is alive."""
    from engine import supervisor

    return bool(supervisor.alive(home))


def wake(home: Path) -> str:
    """Start the supervisor if none is alive.

    Args:
        home: The store's folder.

    Returns:
        "warm" if one is alive, "starting" if one was just started, "gone" if the one
        that this process started has ended.
    """
    with _lock:
        if awake(home):
            return "warm"
        mine = _started.get(home)
        if mine is not None:
            if mine.poll() is None:
                return "starting"
            if mine.returncode:
                del _started[home]
                return "gone"
        _started[home] = start(home)
        return "starting"


def start(home: Path) -> "subprocess.Popen[bytes]":
    """Start a supervisor in a session of its own, its words in a log file."""
    command = [sys.executable, "-m", "engine", "supervise", "--home", str(home)]
    with (home / "supervisor.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
