"""How often workers died before they took a run, and how long the next one waits.

A worker that dies over a run says something about that run, which is retried once and
then set aside; it delays nobody. One that dies before it takes a run says that no
worker can start here, so the next one is started ever later.
"""

import signal
import time
from dataclasses import dataclass

LONGEST_PAUSE = 30.0  # seconds between two starts of workers that keep dying
FIRST_PAUSE = 0.5


@dataclass
class RestartDelay:
    """Deaths in a row; moments are monotonic seconds, which a clock jump leaves."""

    count: int = 0
    since: float = 0.0
    reason: str = ""
    next_start: float = 0.0

    def add(self, reason: str) -> None:
        """Count one more and let the next start wait twice as long."""
        now = time.monotonic()
        self.since = self.since if self.count else now
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.count, 10))
        self.count, self.reason, self.next_start = self.count + 1, reason, now + pause

    def clear(self) -> None:
        """Forget them: a worker lives."""
        self.count, self.since, self.reason, self.next_start = 0, 0.0, "", 0.0

    @property
    def is_pausing(self) -> bool:
        """Whether it is too early for the next start."""
        return time.monotonic() < self.next_start


def describe_exit(code: int) -> str:
    """Say in words how a process of this exit code ended.

    >>> describe_exit(-11)
    'was killed by SIGSEGV'
    """
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"
