"""Cache of the blocks of runs, read incrementally and shared by all sessions.

A block with the address of an earlier one replaces it, and batches of replicates are
joined once, when they are read. Few runs are cached; the least
recently used is evicted first.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from engine.contract.events import Block
from engine.stats.replicate_concatenation import drop_unfinished_tests, join_batches

ReadBlocks = Callable[[str, int], tuple[list[Block], int]]
MAX_RUNS = 12


class RunBlocks:
    """The blocks of one run so far."""

    def __init__(self) -> None:
        self.cursor = 0
        self.blocks: dict[tuple[object, ...], Block] = {}
        self.joined: tuple[Block, ...] = ()
        self.lock = threading.Lock()

    def update(self, key: str, read_blocks: ReadBlocks) -> tuple[Block, ...]:
        """Read what is new and return all blocks, each with all replicates so far.

        Later batches that are being tested wait until all learners have their tests.
        """
        with self.lock:
            fresh, self.cursor = read_blocks(key, self.cursor)
            if fresh:
                self.blocks |= {block.address(): block for block in fresh}
                # Joined, a half-tested batch could not be told from a whole one.
                kept = drop_unfinished_tests(self.blocks.values())
                self.joined = tuple(join_batches(kept))
            return self.joined


class BlockCache:
    """The cached runs of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int, str], RunBlocks] = OrderedDict()

    def blocks(
        self, key: str, attempt: int, read_blocks: ReadBlocks, place: str = ""
    ) -> tuple[Block, ...]:
        """Return a run's blocks.

        Args:
            key: The run's key.
            attempt: Number of its attempt; another one starts with an empty cache.
            read_blocks: The store's reader: key, cursor → new blocks, new cursor.
            place: The folder of its files; a cursor holds for one folder alone.
        """
        name = key, attempt, place
        with self._lock:
            watch = self._kept.setdefault(name, RunBlocks())
            self._kept.move_to_end(name)
            while len(self._kept) > MAX_RUNS:
                self._kept.popitem(last=False)
        return watch.update(key, read_blocks)

    def forget(self, key: str) -> None:
        """Drop a run, as when it is deleted or computed again."""
        with self._lock:
            for known in [k for k in self._kept if k[0] == key]:
                del self._kept[known]

    def clear(self) -> None:
        """Drop every run, as when another store is opened."""
        with self._lock:
            self._kept.clear()
