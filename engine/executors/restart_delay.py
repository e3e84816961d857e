"""Exponential backoff for workers that die before they take a run.

A worker's death during a run is blamed on that run, which is retried once and after
that only by the user; it delays no other worker. One that dies before it takes a run
suggests that no worker can start here, so each next one is started later.
"""

import signal
import time
from dataclasses import dataclass

LONGEST_PAUSE = 30.0  # seconds between two starts of workers that keep dying
FIRST_PAUSE = 0.5


@dataclass
class RestartDelay:
    """Consecutive deaths of workers.

    Args:
        count: How many.
        since: When the first one died; monotonic seconds, so that a change of the
            system clock does not matter.
        reason: How the last one died.
        next_start: When the next worker may start; monotonic seconds.
    """

    count: int = 0
    since: float = 0.0
    reason: str = ""
    next_start: float = 0.0

    def add(self, reason: str) -> None:
        """Count one more death and double the wait before the next start."""
        now = time.monotonic()
        self.since = self.since if self.count else now
        # The exponent is bounded too: 2.0 ** count would overflow in the end.
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.count, 10))
        self.count, self.reason, self.next_start = self.count + 1, reason, now + pause

    def clear(self) -> None:
        """Forget all deaths: a worker is alive."""
        self.count, self.since, self.reason, self.next_start = 0, 0.0, "", 0.0

    @property
    def is_pausing(self) -> bool:
        """Whether it is too early for the next start."""
        return time.monotonic() < self.next_start


def describe_exit(code: int) -> str:
    """Describe how a process with this exit code ended.

    Args:
        code: As in `Popen.returncode`: negative for a signal.

    >>> describe_exit(-11)
    'was killed by SIGSEGV'
    >>> describe_exit(-35)
    'was killed by signal 35'
    """
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # most real-time signals have no name
        name = f"signal {-code}"
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"
