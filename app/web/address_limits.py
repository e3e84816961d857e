"""What one address does: its open pages, its messages, the pages computed for it."""

import asyncio

HOUR = 3600.0
BURST = 5.0  # seconds of the allowed rate that may come at once


class Address:
    """What one address does.

    Args:
        rate: Messages per second that are served, on average.
        at_once: Pages that are computed for it at the same time.
    """

    def __init__(self, rate: int, at_once: int) -> None:
        self.interval = 1 / rate
        self.slots = asyncio.Semaphore(at_once)
        self.open = 0
        self.due = 0.0  # when the next message would be on time
        self.visitors = dict[int, float]()  # browsers, and when they came

    def wait(self, now: float) -> float:
        """Take a message in turn; return after how many seconds it is served."""
        self.due = max(self.due, now) + self.interval
        return max(0.0, self.due - now - BURST)

    def is_idle(self, now: float) -> bool:
        """Whether it can be forgotten."""
        self.forget_visitors(now)
        return not (self.open or self.visitors or self.due > now)

    def forget_visitors(self, now: float) -> None:
        """Forget who came more than an hour ago."""
        old = [each for each, since in self.visitors.items() if now - since > HOUR]
        for each in old:
            del self.visitors[each]
