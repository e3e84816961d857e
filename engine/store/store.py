"""The store as one value: every question about runs goes through it.

Every call opens its own short connection, so a `Store` may be shared by
threads, outlive forks and never sits on a lock between two calls.
"""

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_data_path

from engine.contract.events import Artefact, Block, Timing
from engine.contract.jobs import Job, JobState
from engine.contract.runs import RunSpec
from engine.store import files, leases, listing, queue, readers, repair, schema
from engine.store.cache import ResultCache
from engine.store.errors import NoStore
from engine.store.index import Index
from engine.store.progress import Progress, progress
from engine.store.queue import ClaimedJob
from engine.store.recorder import Recorder


class ArtefactEntry(NamedTuple):
    """What is known of an artefact without reading its arrays."""

    name: str
    kind: str
    digest: str
    info: dict[str, object]


def default_home() -> Path:
    """Return where runs live: $METASCOPE_HOME, else the user's data folder."""
    chosen = os.environ.get("METASCOPE_HOME")
    return Path(chosen) if chosen else user_data_path("metascope", appauthor=False)


class Store:
    """Runs, rows, artefacts and jobs under one folder.

    All methods raise `StoreError` (one line) when the store is busy, full,
    unwritable or gone, `NoRun` for an unknown key and `DamagedRun` for a run
    whose files are not what was written.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.index = Index(home, repair.rebuild)

    @classmethod
    def open(cls, home: Path | None = None, identity: str | None = None) -> "Store":
        """Open the store, making or migrating it where needed.

        A store that is already there is opened without a write, so this works
        on a full or read-only disk.

        Args:
            home: The store's folder; `default_home()` where none is given.
            identity: The store that is meant, as its `identity`; then none is made.

        Raises:
            StoreNewer: If a newer Metascope wrote it; nothing is written.
            StoreGone: If the store that is meant is not there.
            StoreError: If it is busy or cannot be made.
        """
        store = cls(Path(home) if home is not None else default_home())
        store.index.prepare(identity)
        return store

    @classmethod
    def open_existing(cls, home: Path | None = None) -> "Store":
        """Open a store to read it: none is made, for one may have been moved away.

        Args:
            home: The store's folder; `default_home()` where none is given.

        Raises:
            NoStore: If there is none in that folder.
        """
        store = cls(Path(home) if home is not None else default_home())
        if not store.index.path.exists():
            raise NoStore(store.home)
        store.index.prepare(files.folder_identity(store.home))
        return store

    @property
    def identity(self) -> str | None:
        """What tells this store from another one in the same place."""
        return self.index.identity

    def check_in_place(self) -> None:
        """Refuse unless this store is still in its place.

        Raises:
            StoreGone: If its folder was moved, deleted or replaced.
        """
        self.index.check_in_place()

    @property
    def format(self) -> int:
        """The number of the store's format, which grows with its tables."""
        return schema.SCHEMA

    @cached_property
    def cache(self) -> ResultCache:
        """The cache of what can be computed again; JSON values, string keys."""
        return ResultCache(self.home / "cache", self.check_in_place)

    # jobs ---------------------------------------------------------------------
    def submit(
        self,
        spec: RunSpec,
        key: str,
        title: str = "",
        *,
        again: bool = False,
        workspace: str = "local",
    ) -> Job:
        """File a run and queue it: one atomic, idempotent call.

        A run that is queued, running or done is returned as it is; one that
        was cancelled, failed or lost goes back to the queue.

        Args:
            spec: A completed spec.
            key: Its `run_key`, 64 hex digits.
            title: Shown in lists; cleaned, never part of the key.
            again: Throw the stored result away and compute it anew.
            workspace: Who sees it, in the public demo.
        """
        filing = queue.Submission(spec, key, title, workspace)
        return queue.submit(self.index, filing, again)

    def job(self, key: str) -> Job | None:
        """Return the job of this key, or none."""
        return listing.job(self.index, key)

    def jobs(
        self,
        states: Iterable[JobState] | None = None,
        text: str = "",
        limit: int = 200,
        offset: int = 0,
        *,
        kind: str | None = "run",
        workspace: str | None = None,
    ) -> list[Job]:
        """List jobs, newest first.

        Args:
            states: Only these states; all where none is given.
            text: Words that the title, key or spec's part names must hold.
            limit: At most so many.
            offset: Skip so many.
            kind: "run"; "tuning" for the sub-runs of tuned baselines; both if none.
            workspace: Only this one's; all where none is given.
        """
        wish = listing.JobFilter(states, text, kind, workspace)
        return listing.jobs(self.index, wish, limit, offset)

    def count(
        self,
        states: Iterable[JobState] | None = None,
        text: str = "",
        *,
        kind: str | None = "run",
        workspace: str | None = None,
    ) -> int:
        """Count what `jobs` would list without limit."""
        wish = listing.JobFilter(states, text, kind, workspace)
        return listing.count(self.index, wish)

    def cancel(self, key: str) -> Job:
        """End a run that is not final; at once, whatever its worker does.

        A final run is returned as it is.
        """
        return queue.cancel(self.index, key)

    def resume(self, key: str) -> Job:
        """Queue an ended but unfinished run again; it goes on from its checkpoint.

        Raises:
            IllegalMove: If it is done or diverged.
        """
        return queue.resume(self.index, key)

    def delete(self, key: str) -> None:
        """Remove a run and its files, from any state; also on a full disk."""
        queue.delete(self.index, key)

    def rename(self, key: str, title: str) -> Job:
        """Give a run another title."""
        return queue.rename(self.index, key, title)

    # what a run holds ---------------------------------------------------------
    def spec(self, key: str) -> RunSpec:
        """Return the completed spec of a run."""
        return readers.spec(self.index, key)

    def blocks(self, key: str, since: int = 0) -> tuple[list[Block], int]:
        """Return the blocks written after a cursor, and the new cursor.

        A block may come again under the address of an earlier one (after a
        resume, a compaction, or as the newest live view) and then replaces
        it. Start with 0; the cursor never goes back.

        Raises:
            Damaged: If a file is not what was written; the run is set aside.
        """
        return readers.blocks(self.index, key, since)

    def progress(self, key: str) -> Progress:
        """Return stage, share done, text and the estimated seconds left."""
        return progress(self.index, key)

    def timings(self, key: str) -> list[Timing]:
        """Return seconds of work by learner and stage, summed over attempts."""
        return readers.timings(self.index, key)

    def artefact(self, key: str, name: str, kind: str = "") -> Artefact:
        """Return an artefact of a run with its arrays, of any kind if none is given.

        Raises:
            StoreError: If the run has none of that kind and name.
        """
        return readers.artefact(self.index, key, name, kind)

    def artefacts(self, key: str) -> list[ArtefactEntry]:
        """List a run's artefacts: name, kind, digest and info, without arrays."""
        return [ArtefactEntry(*entry) for entry in readers.artefacts(self.index, key)]

    def summary(self, key: str) -> dict[str, object] | None:
        """Return the filed statistics and verdict; none before the end."""
        return readers.text(self.index, key, "summary")

    def fingerprint(self, key: str) -> dict[str, object] | None:
        """Return device, threads, versions and CPU capability of the run."""
        return readers.text(self.index, key, "fingerprint")

    def folder(self, key: str) -> Path:
        """Return the folder of a run's files."""
        return files.run_folder(self.home, key)

    # the worker's side --------------------------------------------------------
    def claim(self) -> ClaimedJob | None:
        """Take the job that has waited longest, under a new lease; or none."""
        return queue.claim(self.index)

    def recorder(self, claim: ClaimedJob) -> Recorder:
        """Return the writer of a claimed run; every write carries its token."""
        return Recorder(self.index, claim)

    # upkeep -------------------------------------------------------------------
    def sweep(self, reasons: dict[int, str] | None = None) -> list[leases.LeaseVerdict]:
        """Judge every lease once: lost, stalled or revoked; says what it did."""
        return leases.sweep(self.index, reasons)

    def check(self, *, deep: bool = True) -> list[str]:
        """Verify the index, and every file if `deep`; returns the damaged keys."""
        return repair.check_store(self.index, deep=deep)

    def tidy(self) -> int:
        """Remove temporary and orphan files; returns how many."""
        return repair.tidy(self.index)

    def backup(self, target: Path) -> None:
        """Write the index as it is at one instant into one file."""
        self.index.backup(target)
