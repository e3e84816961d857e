"""What one address does: its open pages, its messages, the pages computed for it."""

import asyncio

HOUR = 3600.0
BURST = 5.0  # seconds of the allowed rate that may come at once
PATIENCE = 30.0  # seconds after which a page no longer counts as being computed
AFTERMATH = 2.0  # seconds for which one whose browser has left still does


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


class Turn:
    """The place of one socket among those of its address that compute a page.

    Python computes one page at a time, so each further one slows down everybody.
    """

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self.slots = slots
        self.end_of_patience: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Wait until the address may compute a page; a click may interrupt its own."""
        if self.end_of_patience is None:
            await self.slots.acquire()
        else:
            self.end_of_patience.cancel()
        self._end_after(PATIENCE)

    def end(self) -> None:
        """Let another socket of the address have its turn."""
        if self.end_of_patience is not None:
            self.end_of_patience.cancel()
            self.end_of_patience = None
            self.slots.release()

    def leave(self) -> None:
        """End it a little later: a page goes on after its browser has left."""
        if self.end_of_patience is not None:
            self.end_of_patience.cancel()
            self._end_after(AFTERMATH)

    def _end_after(self, seconds: float) -> None:
        later = asyncio.get_running_loop().call_later
        self.end_of_patience = later(seconds, self.end)
