"""The turns of pages: how many are computed at the same time, and in which order."""

import asyncio

PATIENCE = 30.0  # seconds after which a page no longer counts as being computed
AFTERMATH = 2.0  # seconds for which one whose browser has left still does
# Of all addresses. Python computes one page at a time; with many threads at once, it
# mostly passes the turn among them, and every page is as late as the last.
PAGES_AT_ONCE = 4
SOON = 1.0  # seconds after which a slow page no longer keeps others from their turn


class Turn:
    """The place of one socket among those that compute a page; the first comes first.

    Args:
        slots: The places.
        patience: Seconds after which the socket gives its place to another one, though
            its page is still being computed.
    """

    def __init__(self, slots: asyncio.Semaphore, patience: float = PATIENCE) -> None:
        self.slots, self.patience = slots, patience
        self.end_of_patience: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Wait for a place; a click may interrupt its own page and keep the place."""
        if self.end_of_patience is None:
            await self.slots.acquire()
        else:
            self.end_of_patience.cancel()
        self._end_after(self.patience)

    def end(self) -> None:
        """Let another socket have its turn."""
        if self.end_of_patience is not None:
            self.end_of_patience.cancel()
            self.end_of_patience = None
            self.slots.release()

    def leave(self) -> None:
        """End it a little later: a page goes on after its browser has left."""
        if self.end_of_patience is not None:
            self.end_of_patience.cancel()
            self._end_after(min(AFTERMATH, self.patience))

    def _end_after(self, seconds: float) -> None:
        later = asyncio.get_running_loop().call_later
        self.end_of_patience = later(seconds, self.end)
