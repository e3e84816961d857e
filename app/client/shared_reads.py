"""What is read once for all who ask for it at about the same time.

Twenty people who watch a run poll it twenty times in half a second, and each time it
has the same numbers.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Entry(Generic[T]):
    """One value, when it was read (monotonic seconds), and who reads it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: T | None = None
        self.since: float | None = None


class SharedReads(Generic[T]):
    """Values by name; the least recently used are dropped first.

    Args:
        limit: How many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    def get(
        self,
        name: tuple[Hashable, ...],
        read: Callable[[T | None], T],
        seconds: float | None = None,
    ) -> T:
        """Return a value, reading it if it is not there or too old.

        Args:
            name: All that it depends on; a run's key is the first of it.
            read: Reads it; gets the value that it replaces, if there is one.
            seconds: How long it lasts; None for a value that never changes.
        """
        with self._lock:
            entry = self._entries.setdefault(name, _Entry())
            self._entries.move_to_end(name)
            while len(self._entries) > self._limit:
                self._entries.popitem(last=False)
        with entry.lock:
            now = time.monotonic()
            is_old = seconds is not None and now - (entry.since or now) >= seconds
            if entry.value is None or is_old:
                entry.value = read(entry.value)
                entry.since = time.monotonic()
            return entry.value

    def forget(self, key: str) -> None:
        """Drop what is known of a run, as when it is deleted or computed again."""
        with self._lock:
            for name in [name for name in self._entries if name[0] == key]:  # type: ignore[index]
                del self._entries[name]

    def clear(self) -> None:
        """Drop everything, as when another store is opened."""
        with self._lock:
            self._entries.clear()
