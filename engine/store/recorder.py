"""Writing a run's events to the store, as the worker that holds its lease.

Events are collected for `TICK` seconds, at first for `FIRST_TICK`, then written in one
transaction that also renews the lease, so that readers always see a complete prefix of
the run. The heartbeat comes from the loop itself: a thread would hide a hung loop.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from engine.contract.events import Artefact, Block, Checkpoint, Event, Note, Timing
from engine.contract.jobs import JobState
from engine.store import (
    array_codec,
    arrow_codec,
    files,
    index_entry_backup,
    leases,
    run_files,
    run_rows,
)
from engine.store import timing_sums as store_timings
from engine.store.claims import ClaimedJob
from engine.store.errors import StoreError
from engine.store.external_runs import artefact_file
from engine.store.index import Index
from engine.store.run_files import FileEntry, NewFile

TICK, LONGEST_TICK = 0.4, 10.0  # seconds between two writes, at least and at most
FIRST_TICK = 0.1  # at least, in the first second: a first curve is soon seen
# A run waits for so many times as long as its last write took: one store has one writer
# at a time, so that many runs at once, or a slow disk, write less often.
WAITS_PER_WRITE = 20
BATCH = 64  # blocks that are written without waiting for the tick
CHECKPOINT_EVERY = 3.0  # seconds between two checkpoints that are written
CHUNKS = 200  # files that a run writes before they are compacted


Transaction = Callable[[sqlite3.Connection], list[str]]


class Recorder:
    """Writes one claimed run; every write raises `LeaseLost` if the lease is gone.

    Args:
        index: The store's index.
        claim: The job, with the lease's token.
    """

    def __init__(self, index: Index, claim: ClaimedJob) -> None:
        self._index, self._key, self._token = index, claim.key, claim.token
        self._folder = files.run_folder(index.home, claim.key)
        self._blocks: list[Block] = []
        self._artefacts: list[Artefact] = []
        self._timings: list[Timing] = []
        self._note: Note | None = None
        self._offered: Checkpoint | None = None
        self._serial = 0
        self._longest = self._took = 0.0
        self._began = 0.0  # at the first event
        self._event = self._ticked = self._kept = time.monotonic()

    def add(self, event: Event) -> None:
        """Take one event; it is on disk after the next `flush`."""
        now = time.monotonic()
        self._longest = max(self._longest, now - self._event)
        self._event = now
        if not self._began:
            # Checks come before; a write of the first event alone would show nothing.
            self._began = self._ticked = now
        match event:
            case Block():
                self._blocks.append(event)
            case Artefact():
                self._artefacts.append(event)
            case Timing():
                self._timings.append(event)
            case Note():
                self._note = event
            case Checkpoint():
                self._offered = event

    def is_due(self) -> bool:
        """Return whether it is time to `flush`."""
        now = time.monotonic()
        least = FIRST_TICK if now - self._began < 1.0 else TICK
        wait = min(max(least, WAITS_PER_WRITE * self._took), LONGEST_TICK)
        return now - self._ticked >= wait or len(self._blocks) >= BATCH

    def flush(self, *, keep: bool = False) -> None:
        """Write the collected events and renew the lease, in one transaction.

        Args:
            keep: Whether the newest checkpoint is written even if it is not due.

        Raises:
            LeaseLost: If the run was cancelled, ended or given to another worker.
            StoreFull: If the disk is full; `pause` the run.
        """
        begun = time.monotonic()
        new = self._new_files(keep)
        entered = self._store_files(new)

        def change(db: sqlite3.Connection) -> list[str]:
            leases.check_held(db, self._key, self._token)
            leases.renew(db, self._token, self._longest, self._began or None)
            self._write_progress(db)
            gone = self._enter_files(db, entered)
            run_rows.recount(db, self._key)
            return gone

        self._commit(change, entered)
        self._clear_written(entered)
        if self._has_many_chunks():
            self._compact()
        self._took = time.monotonic() - begun

    def finish(
        self, state: JobState, texts: Mapping[str, object], error: str = ""
    ) -> None:
        """End the run: compact its files, store the texts and delete the lease.

        Args:
            state: DONE, DIVERGED or FAILED.
            texts: JSON values by name: summary, fingerprint, traceback.
            error: One line; empty where there is none.

        Raises:
            LeaseLost: If the run was cancelled, ended or given to another worker.
        """
        self.flush(keep=state == JobState.FAILED)
        self._compact()
        final = state != JobState.FAILED

        def change(db: sqlite3.Connection) -> list[str]:
            leases.check_held(db, self._key, self._token)
            row = run_rows.get(db, self._key)
            done = {"stage": "end", "done": 1.0, "note": ""} if final else {}
            run_rows.put(
                db, row.with_state(state, error=error, finished=time.time(), **done)
            )
            for name, value in texts.items():
                run_rows.put_text(db, self._key, name, value)
            leases.drop(db, self._token)
            gone = self._drop_kind(db, "checkpoint") if final else []
            run_rows.recount(db, self._key)
            return gone

        self._commit(change, [])
        index_entry_backup.write(self._index, self._key)

    def release(self) -> None:
        """Requeue the run, with its newest checkpoint."""
        self.flush(keep=True)
        self._end_lease(JobState.QUEUED, "")

    def end_early(self, state: JobState, error: str) -> None:
        """End the run without writing its collected events, as on a full disk.

        Args:
            state: PAUSED or FAILED.
            error: One line for the user.
        """
        self._end_lease(state, error)

    def drop_lease(self) -> None:
        """Delete a lease that was revoked, once the worker has stopped."""
        self._index.write(lambda db: leases.drop(db, self._token), last_resort=True)

    def _end_lease(self, state: JobState, error: str) -> None:
        def change(db: sqlite3.Connection) -> None:
            leases.check_held(db, self._key, self._token)
            row = run_rows.get(db, self._key)
            ended = None if state == JobState.QUEUED else time.time()
            row = row.with_state(state, error=error, finished=ended)
            if state == JobState.QUEUED and row.kind == run_rows.SHARD:
                row = replace(row, turn=run_rows.next_turn(db))
            run_rows.put(db, row)
            leases.drop(db, self._token)

        self._index.write(change, last_resort=True)

    def _clear_written(self, entered: list[FileEntry]) -> None:
        """Clear the events that are on disk now."""
        self._ticked = time.monotonic()
        self._blocks, self._artefacts, self._timings = [], [], []
        self._note = None
        if any(entry.kind == "checkpoint" for entry in entered):
            self._kept, self._offered = self._ticked, None

    # files --------------------------------------------------------------------
    def _next_file_name(self, suffix: str) -> str:
        self._serial += 1
        return f"{self._token:08d}-{self._serial:05d}.{suffix}"

    def _new_files(self, keep: bool) -> list[NewFile]:
        new = []
        if self._blocks:
            data = arrow_codec.encode(self._blocks)
            new.append(NewFile("blocks", "", self._next_file_name("arrow"), data, {}))
        new += [
            artefact_file(each, self._next_file_name("artefact"))
            for each in self._artefacts
        ]
        due = time.monotonic() - self._kept >= CHECKPOINT_EVERY
        if self._offered is not None and (keep or due):
            data = array_codec.pack(self._offered.arrays, self._offered.state)
            new.append(
                NewFile("checkpoint", "", self._next_file_name("checkpoint"), data, {})
            )
        return new

    def _store_files(self, new: list[NewFile]) -> list[FileEntry]:
        entered: list[FileEntry] = []
        try:
            for each in new:
                entered.append(each.store(self._folder, self._key))
        except FileNotFoundError:  # deleted: then the lease is gone, which comes first
            self._index.read(lambda db: leases.check_held(db, self._key, self._token))
            raise StoreError("the folder of the run is gone") from None
        except StoreError:
            self._unlink([entry.file for entry in entered])
            raise
        return entered

    def _enter_files(
        self, db: sqlite3.Connection, entered: list[FileEntry]
    ) -> list[str]:
        """List written files in the index; returns the names of those they replace."""
        fresh = any(entry.kind == "checkpoint" for entry in entered)
        gone = self._drop_kind(db, "checkpoint") if fresh else []
        for entry in entered:
            run_files.enter_file(db, entry)
        return gone

    def _drop_kind(self, db: sqlite3.Connection, kind: str) -> list[str]:
        old = run_files.list_entries(db, self._key, kind)
        run_files.remove(db, [number for number, _ in old])
        return [entry.file for _, entry in old]

    def _commit(self, change: Transaction, entered: list[FileEntry]) -> None:
        """Run a transaction; if it fails, the files written for it are removed.

        What it returns are the names of the files that it made superfluous.
        """
        try:
            gone = self._index.write(change)
        except StoreError:
            self._unlink([entry.file for entry in entered])
            raise
        self._unlink(gone)  # after the commit: until then they are part of the run

    def _unlink(self, names: list[str]) -> None:
        for name in names:
            files.remove(self._folder / name)

    # rows ---------------------------------------------------------------------
    def _write_progress(self, db: sqlite3.Connection) -> None:
        if self._note is not None:
            row = run_rows.get(db, self._key)
            note = self._note
            changed = replace(row, stage=note.stage, done=note.done, note=note.text)
            run_rows.put(db, changed)
        if self._timings:
            filed = run_rows.get_text(db, self._key, "timings") or []
            timings = [*(Timing(*each) for each in filed), *self._timings]
            run_rows.put_text(
                db, self._key, "timings", store_timings.timings_as_rows(timings)
            )

    # compaction ---------------------------------------------------------------
    def _has_many_chunks(self) -> bool:
        return self._serial % CHUNKS == 0 and self._serial > 0

    def _compact(self) -> None:
        """Merge the block files into one, with the newest block of each address."""
        home, key = self._index.home, self._key
        old = self._index.read(lambda db: run_files.list_entries(db, key, "blocks"))
        if len(old) < 2:
            return
        # Nothing here keeps the blocks: they are free once their bytes are joined.
        files = (run_files.read_entry(home, entry) for _, entry in old)
        data = arrow_codec.encode(
            arrow_codec.newest_per_address(
                block for each in files for block in arrow_codec.decode(each)
            )
        )
        entered = self._store_files(
            [NewFile("blocks", "", self._next_file_name("arrow"), data, {})]
        )

        def change(db: sqlite3.Connection) -> list[str]:
            leases.check_held(db, key, self._token)
            run_files.remove(db, [number for number, _ in old])
            run_files.enter_file(db, entered[0])
            run_rows.recount(db, key)
            return [entry.file for _, entry in old]

        self._commit(change, entered)
