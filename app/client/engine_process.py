"""Wakes the engine: one supervisor per store, a process that outlives the page.

Starting takes a second or two, so it is done beside the page, which says how it is.
"""

import threading
import time
from pathlib import Path

from engine.executors import supervisor
from engine.store import StoreError

PATIENCE = 20.0
AGAIN_AFTER = 10.0
_lock = threading.Lock()
_starts: dict[Path, "Start"] = {}


class Start(threading.Thread):
    """One attempt to start a supervisor."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self.home, self.error, self.ended = home, "", 0.0

    def run(self) -> None:
        """Start it and wait until it holds the store."""
        try:
            supervisor.wake(self.home, PATIENCE)
        except (supervisor.SupervisorError, StoreError, OSError) as error:
            self.error = str(error)
        self.ended = time.monotonic()


def state(home: Path) -> str:
    """Start the supervisor where none is alive; never waits.

    Args:
        home: The store's folder.

    Returns:
        "warm" if one is alive, "starting" while one comes up, "gone" if the last
        attempt failed; the next attempt follows after a few seconds.
    """
    if supervisor.alive(home):
        return "warm"
    with _lock:
        last = _starts.get(home)
        if last is not None and last.is_alive():
            return "starting"
        if last is not None and last.error and _fresh(last):
            return "gone"
        _starts[home] = Start(home)
        _starts[home].start()
    return "starting"


def _fresh(last: Start) -> bool:
    return time.monotonic() - last.ended < AGAIN_AFTER


def trouble(home: Path) -> str:
    """Return why no worker takes a run; empty where one does or is about to."""
    if found := supervisor.alive(home):
        return found.trouble
    last = _starts.get(home)
    return last.error if last is not None else ""
