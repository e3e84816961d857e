"""Starts the engine: one supervisor process per store, which outlives the page.

Starting takes a second or two, so it is done in a thread; the page shows its state.
"""

import threading
import time
from pathlib import Path

from engine.executors import supervisor
from engine.store import StoreError

START_TIMEOUT = 20.0
RETRY_AFTER = 10.0
_lock = threading.Lock()
_starts: dict[Path, "SupervisorStart"] = {}


class SupervisorStart(threading.Thread):
    """One attempt to start a supervisor."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self.home, self.error, self.ended = home, "", 0.0

    def run(self) -> None:
        """Start it and wait until it holds the store."""
        try:
            supervisor.start_supervisor(self.home, START_TIMEOUT)
        except (supervisor.SupervisorError, StoreError, OSError) as error:
            self.error = str(error)
        self.ended = time.monotonic()


def ensure_supervisor(home: Path) -> str:
    """Start the supervisor if none is alive; never blocks.

    Args:
        home: The store's folder.

    Returns:
        "warm" if one is alive, "starting" while one starts, "gone" if the last
        attempt failed; it is repeated after a few seconds.
    """
    if supervisor.supervisor_status(home):
        return "warm"
    with _lock:
        last = _starts.get(home)
        if last is not None and last.is_alive():
            return "starting"
        if last is not None and last.error and _ended_recently(last):
            return "gone"
        _starts[home] = SupervisorStart(home)
        _starts[home].start()
    return "starting"


def _ended_recently(last: SupervisorStart) -> bool:
    return time.monotonic() - last.ended < RETRY_AFTER


def describe_trouble(home: Path) -> str:
    """Return why no worker takes a run; empty if one does or is starting."""
    if found := supervisor.supervisor_status(home):
        return found.trouble
    last = _starts.get(home)
    return last.error if last is not None else ""
