"""When a worker looks for work and when it stops, as its supervisor tells it."""

import os
import threading
import time
from types import FrameType

EXIT_TIMEOUT = 8.0  # seconds until a worker exits once its supervisor is gone
POLL_INTERVAL = 0.5  # seconds between two checks for work, without a supervisor


class StopSignal:
    """Tells a worker when to look for work and when to stop.

    Args:
        pipe: File descriptor that the supervisor writes to; None without supervisor.
    """

    def __init__(self, pipe: int | None = None) -> None:
        self.gone = False
        self._pipe = pipe
        self._called = threading.Event()
        if pipe is not None:
            threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while self._pipe is not None and os.read(self._pipe, 64):
            self._called.set()
        self.request_stop()
        time.sleep(EXIT_TIMEOUT)
        # Still here: the run hangs between two events. Another worker resumes it.
        os._exit(os.EX_TEMPFAIL)

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask the worker to stop at the next event; also a signal handler."""
        self.gone = True
        self._called.set()

    def wait_for_work(self) -> None:
        """Wait until there may be work."""
        self._called.wait(None if self._pipe is not None else POLL_INTERVAL)
        if not self.gone:
            self._called.clear()
