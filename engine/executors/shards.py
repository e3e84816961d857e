"""Shards: the other workers of a store, as helpers of a run that this one executes.

Every batch but the first is offered as a shard, which any free worker may take. The
run follows a shard that a worker has begun, and takes back one that none has: the one
whose turn it is, or a later one, which it computes while it waits.
"""

import contextlib
import hashlib
import time
from collections.abc import Generator, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from engine.contract.events import Checkpoint, Event, Note
from engine.contract.jobs import JobState
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec
from engine.runner.helpers import Handover
from engine.store import Store, StoreBusy, StoredRunCache, StoreFull, shards
from engine.store.claims import ClaimedJob
from engine.store.queue import Submission

if TYPE_CHECKING:
    from engine.runner.loop import BatchFunction  # it imports torch

POLL = 0.1  # seconds between two looks at a shard
LOOK = 1.0  # seconds between two looks at how far all shards are


def shard_key(batch: RunSpec) -> str:
    """Return the key of a batch that is computed as a shard.

    It is another one than that of the same spec as a run, which also records films.
    """
    from engine.catalogue import find_card  # not above: it imports torch

    return hashlib.sha256(f"shard {run_key(batch, find_card)}".encode()).hexdigest()


class OwnBatch:
    """A later batch that the run computes itself while it waits for another.

    Args:
        key: Its key as a shard.
        events: What computes it.
    """

    def __init__(self, key: str, events: Iterator[Event]) -> None:
        self.key, self.is_done = key, False
        self._events, self._kept = events, list[Event]()

    def advance(self, seconds: float) -> None:
        """Compute for about so many seconds."""
        end = time.monotonic() + seconds
        for _ in self._notes():
            if time.monotonic() > end:
                return

    def finish(self) -> Iterator[Event]:
        """Yield notes until it is computed, then all of it."""
        yield from self._notes()
        yield from self._kept

    def _notes(self) -> Iterator[Note]:
        """Compute, and yield the notes; the rest is kept."""
        for event in self._events:
            if isinstance(event, Note):
                yield event
            # In memory, so that a kill loses it; whoever resumes computes it again.
            elif not isinstance(event, Checkpoint):
                self._kept.append(event)
        self.is_done = True


class ShardHelpers:
    """The workers of a store, as helpers of a run.

    Args:
        store: Where shards are queued.
        parent: The run.
        compute: Computes a later batch here while the run waits; None if it is not to.
    """

    def __init__(
        self,
        store: Store,
        parent: ClaimedJob,
        compute: "BatchFunction | None" = None,
    ) -> None:
        self._store, self._parent, self._compute = store, parent, compute
        self._cache = StoredRunCache(store.index)
        self._offered: dict[str, RunSpec] = {}
        self._taken: set[str] = set()  # shards that the run computes itself
        self._own: OwnBatch | None = None
        self._ahead, self._looked = 0.0, -LOOK

    def offer(self, batches: Sequence[RunSpec]) -> None:
        """Queue shards for these batches, unless they are."""
        self._looked = -LOOK
        for batch in batches:
            key = shard_key(batch)
            if key in self._offered:
                continue
            first, last = (
                batch.first_replicate,
                batch.first_replicate + batch.replicates,
            )
            title = f"replicates {first + 1} to {last}"
            # Helpers save time, and nothing else: a busy store must not end a run.
            with contextlib.suppress(StoreBusy, StoreFull):
                filing = Submission(batch, key, title)
                shards.offer(self._store.index, filing, self._parent)
                self._offered[key] = batch

    def follow(self, batch: RunSpec) -> Generator[Event, None, Handover]:
        """Yield a shard's events once it is complete, and notes until then.

        One that ended early is taken over: its events so far, then its checkpoint.
        """
        key = shard_key(batch)
        if self._own is not None and self._own.key == key:
            own, self._own = self._own, None
            yield from own.finish()
            return Handover(True)
        while True:
            with contextlib.suppress(StoreBusy):
                shard = shards.take_back(self._store.index, key)
                if shard is not None and shard.is_complete:
                    # None if it was damaged or deleted meanwhile
                    if (events := self._cache.get(key)) is not None:
                        yield from events
                        return Handover(True)
                    shard = None
                if shard is None or not shard.is_running:
                    self._taken.add(key)
                    part, point = self._read_part(key, shard)
                    yield from part
                    return Handover(False, point)
                yield Note(shard.job.stage or "begin", shard.job.done)
                self._begin_own()
            if self._own is None or self._own.is_done:
                time.sleep(POLL)
            else:
                self._own.advance(POLL)

    def _begin_own(self) -> None:
        """Take back a batch that no worker has begun, unless the run has one."""
        if self._own is not None or self._compute is None:
            return
        for key, batch in self._offered.items():
            if key in self._taken:
                continue
            shard = shards.take_back(self._store.index, key)
            if shard is None or shard.is_running or shard.is_complete:
                continue
            self._taken.add(key)
            part, point = self._read_part(key, shard)
            events = self._compute(batch, self._cache, point, first=False)
            self._own = OwnBatch(key, chain(part, events))
            return

    def _read_part(
        self, key: str, shard: shards.Shard | None
    ) -> tuple[list[Event], Checkpoint | None]:
        """Return what a shard that ended early has recorded, and where to go on.

        Whoever goes on from its checkpoint does not yield again what came before it.
        """
        if shard is None or shard.checkpoint is None:
            return [], None
        part = self._cache.get_part(key)
        # Damaged or deleted meanwhile: without its rows the batch begins anew.
        return ([], None) if part is None else (part, shard.checkpoint)

    def replicates_ahead(self, batches: Sequence[RunSpec]) -> float:
        """Return how many replicates of these batches are computed; parts count."""
        now = time.monotonic()
        if now - self._looked < LOOK or not batches:
            return self._ahead if batches else 0.0
        self._looked, sizes = now, {shard_key(b): b.replicates for b in batches}
        with contextlib.suppress(StoreBusy):
            jobs = self._store.shards(self._parent.key)
            done = {
                job.key: 1.0 if job.state == JobState.DONE else job.done for job in jobs
            }
            self._ahead = sum(n * done.get(key, 0.0) for key, n in sizes.items())
        return self._ahead
