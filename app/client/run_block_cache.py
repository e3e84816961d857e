"""Cache of the blocks of runs, read incrementally and shared by all sessions.

A block with the address of an earlier one replaces it, and batches of replicates are
joined once, when they are read. Of a run that has ended only the joined ones are
kept. The least recently used runs are evicted first.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from engine.contract.events import Block
from engine.executors import cores
from engine.stats.replicate_concatenation import drop_unfinished_tests, join_batches

ReadBlocks = Callable[[str, int], tuple[list[Block], int]]
MAX_BYTES, SCARCE_BYTES = 384 * 2**20, 24 * 2**20


class RunBlocks:
    """The blocks of one run so far; `size` is the bytes of their arrays."""

    def __init__(self) -> None:
        self.cursor = 0
        self.blocks: dict[tuple[object, ...], Block] = {}
        self.joined: tuple[Block, ...] = ()
        self.is_final = False
        self.size = 0
        self.lock = threading.Lock()

    def update(
        self, key: str, read_blocks: ReadBlocks, *, is_final: bool = False
    ) -> tuple[Block, ...]:
        """Read what is new and return all blocks, each with all replicates so far.

        Later batches that are being tested wait until all learners have their tests.

        Args:
            key: The run's key.
            read_blocks: As in `BlockCache.blocks`.
            is_final: Whether nothing new is to come.
        """
        with self.lock:
            fresh, self.cursor = read_blocks(key, self.cursor)
            if fresh and self.is_final:  # it was written after its end was seen
                fresh, self.cursor = read_blocks(key, 0)
            if fresh:
                self.blocks |= {block.address(): block for block in fresh}
                # Joined, a half-tested batch could not be told from a whole one.
                kept = drop_unfinished_tests(self.blocks.values())
                self.joined = tuple(join_batches(kept))
            if is_final:
                self.blocks = {}
            if fresh or is_final != self.is_final:
                held = {id(b): b for b in (*self.blocks.values(), *self.joined)}
                self.size = sum(block.array.nbytes for block in held.values())
            self.is_final = is_final
            return self.joined


class BlockCache:
    """The cached runs of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int, str], RunBlocks] = OrderedDict()

    def blocks(
        self,
        key: str,
        attempt: int,
        read_blocks: ReadBlocks,
        place: str = "",
        *,
        is_final: bool = False,
    ) -> tuple[Block, ...]:
        """Return a run's blocks.

        Args:
            key: The run's key.
            attempt: Number of its attempt; another one starts with an empty cache.
            read_blocks: The store's reader: key, cursor → new blocks, new cursor.
            place: The folder of its files; a cursor holds for one folder alone.
            is_final: Whether nothing new is to come.
        """
        name = key, attempt, place
        with self._lock:
            watch = self._kept.setdefault(name, RunBlocks())
            self._kept.move_to_end(name)
        found = watch.update(key, read_blocks, is_final=is_final)
        self._evict()
        return found

    def _evict(self) -> None:
        most = SCARCE_BYTES if cores.is_memory_scarce() else MAX_BYTES
        with self._lock:
            sizes = [run.size for run in self._kept.values()]
            while len(self._kept) > 1 and sum(sizes) > most:
                self._kept.popitem(last=False)
                sizes.pop(0)

    def forget(self, key: str) -> None:
        """Drop a run, as when it is deleted or computed again."""
        with self._lock:
            for known in [k for k in self._kept if k[0] == key]:
                del self._kept[known]

    def clear(self) -> None:
        """Drop every run, as when another store is opened."""
        with self._lock:
            self._kept.clear()
