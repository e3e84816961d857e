"""The public interface of the run store: all access to runs goes through `Store`.

Every call opens its own short connection, so a `Store` can be shared between threads,
survives forks and holds no lock between two calls.
"""

import os
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path

from platformdirs import user_data_path

from engine.contract.events import Artefact, Block, Timing
from engine.contract.jobs import Job, JobState
from engine.contract.run_spec import RunSpec
from engine.store import (
    claims,
    fair_queue,
    files,
    leases,
    listing,
    queue,
    readers,
    repair,
    schema,
    shards,
)
from engine.store.claims import ClaimedJob
from engine.store.errors import NoStore
from engine.store.fair_queue import Quota, Rules
from engine.store.index import Index
from engine.store.progress import Progress, progress
from engine.store.readers import ArtefactEntry
from engine.store.recorder import Recorder
from engine.store.result_cache import ResultCache


def default_home() -> Path:
    """Return the default store: $METASCOPE_HOME, else the user's data folder."""
    chosen = os.environ.get("METASCOPE_HOME")
    return Path(chosen) if chosen else user_data_path("metascope", appauthor=False)


class Store:
    """Jobs, results and artefacts under one folder.

    All methods raise `StoreError` (one line) if the store is busy, full, unwritable or
    gone, `NoRun` for an unknown key and `DamagedRun` for a run whose files fail their
    checksums.

    Args:
        home: The store's folder.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.index = Index(home, repair.rebuild)

    @classmethod
    def open(cls, home: Path | None = None, identity: str | None = None) -> "Store":
        """Open the store; create or migrate it where needed.

        An existing store is opened without a write, so this works on a full or
        read-only disk.

        Args:
            home: The store's folder; `default_home()` if not given.
            identity: The `identity` of the expected store; if given, none is created.

        Raises:
            StoreNewer: If a newer Metascope wrote it; nothing is written.
            StoreGone: If the expected store is not there.
            StoreError: If it is busy or cannot be created.
        """
        store = cls(Path(home) if home is not None else default_home())
        store.index.prepare(identity)
        return store

    @classmethod
    def open_existing(cls, home: Path | None = None) -> "Store":
        """Open a store for reading; never create one, as it may have been moved away.

        Args:
            home: The store's folder; `default_home()` if not given.

        Raises:
            NoStore: If there is no store in that folder.
        """
        store = cls(Path(home) if home is not None else default_home())
        if not store.index.path.exists():
            raise NoStore(store.home)
        store.index.prepare(files.folder_identity(store.home))
        return store

    @property
    def identity(self) -> str | None:
        """An id that tells this store from another one at the same path."""
        return self.index.identity

    def check_in_place(self) -> None:
        """Check that this store is still in its folder.

        Raises:
            StoreGone: If its folder was moved, deleted or replaced.
        """
        self.index.check_in_place()

    @property
    def engine_home(self) -> Path:
        """The folder of the store whose supervisor computes this store's runs."""
        return self.home

    def owns(self, key: str) -> bool:
        """Whether a run is this store's, to rename, cancel or delete."""
        return listing.job(self.index, key) is not None

    def _index_of(self, key: str) -> Index:
        """Return the index that holds a run; a workspace's runs may be elsewhere."""
        return self.index

    @property
    def format(self) -> int:
        """The version of the store's format; it grows when the tables change."""
        return schema.SCHEMA

    @cached_property
    def cache(self) -> ResultCache:
        """The cache of results that can be recomputed; JSON values by string keys."""
        return ResultCache(self.home / "cache", self.check_in_place)

    # jobs ---------------------------------------------------------------------
    def submit(
        self,
        spec: RunSpec,
        key: str,
        title: str = "",
        *,
        again: bool = False,
        workspace: str = queue.OPERATOR,
        cost: float | None = None,
        quota: Quota | None = None,
    ) -> Job:
        """Store a run and queue it, in one atomic, idempotent call.

        A run that is queued, running or done is returned as it is; one that was
        cancelled, failed or lost is requeued.

        Args:
            spec: A completed spec.
            key: Its `run_key`, 64 hex digits.
            title: Shown in lists; cleaned, never part of the key.
            again: Whether a stored result is discarded and recomputed.
            workspace: Whose lists show the run, in the public demo.
            cost: Its estimated seconds on one core; None if they are not known.
            quota: How many runs the workspace may have in the queue; None for any.

        Returns:
            The run's job.

        Raises:
            QueueFull: If the workspace has as many as that.
            OverLimit: If the run has reached a limit of the demo before.
        """
        filing = queue.Submission(spec, key, title, workspace, cost=cost, quota=quota)
        return queue.submit(self.index, filing, again)

    def job(self, key: str) -> Job | None:
        """Return the job of this key; None if there is none."""
        return listing.job(self.index, key)

    def jobs_by_key(self, keys: Collection[str]) -> dict[str, Job]:
        """Return the jobs of these keys, by key, without their tracebacks."""
        named = list(keys)
        found = self.index.read(lambda db: listing.jobs_by_key(db, named))
        return {job.key: job for job in found}

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
            states: Only these states; None for all.
            text: Words that must all occur in the title, the key or the names of
                family, learners and shifts.
            limit: Return at most this many.
            offset: Skip this many.
            kind: "run"; "tuning" for the sub-runs of tuned baselines, "shard" for
                batches of other runs; None for all.
            workspace: Only this workspace; None for all.
        """
        job_filter = listing.JobFilter(states, text, kind, workspace)
        return listing.jobs(self.index, job_filter, limit, offset)

    def count(
        self,
        states: Iterable[JobState] | None = None,
        text: str = "",
        *,
        kind: str | None = "run",
        workspace: str | None = None,
    ) -> int:
        """Count the jobs that `jobs` would list without a limit."""
        job_filter = listing.JobFilter(states, text, kind, workspace)
        return listing.count(self.index, job_filter)

    def cancel(self, key: str) -> Job:
        """Cancel a run at once, without waiting for its worker.

        A run in a final state is returned as it is. Its shards are cancelled, too.
        """
        job = queue.cancel(self.index, key)
        shards.cancel_all(self.index, key)
        return job

    def resume(self, key: str) -> Job:
        """Requeue an ended but unfinished run; it continues from its checkpoint.

        Raises:
            IllegalTransition: If it is done or diverged.
        """
        return queue.resume(self.index, key)

    def delete(self, key: str) -> None:
        """Delete a run and its files, in any state; works on a full disk, too."""
        queue.delete(self.index, key)
        shards.discard_all(self.index, key)

    def shards(self, key: str) -> list[Job]:
        """List the batches of a run that are computed ahead of their turn."""
        return shards.jobs_of(self._index_of(key), key)

    def rename(self, key: str, title: str) -> Job:
        """Give a run another title."""
        return queue.rename(self.index, key, title)

    # what a run holds ---------------------------------------------------------
    def spec(self, key: str) -> RunSpec:
        """Return the completed spec of a run."""
        return readers.spec(self._index_of(key), key)

    def blocks(self, key: str, since: int = 0) -> tuple[list[Block], int]:
        """Return the blocks written after a cursor, and the new cursor.

        A later block may have the address of an earlier one (after a resume, a
        compaction, or as the newest live view) and then replaces it.

        Args:
            key: The run's key.
            since: The cursor of the last call, which never goes back; 0 at first.

        Raises:
            DamagedRun: If a file fails its checksum; the run is quarantined.
        """
        return readers.blocks(self._index_of(key), key, since)

    def progress(self, key: str) -> Progress:
        """Return the run's stage, share done, note and estimated seconds left."""
        return progress(self._index_of(key), key)

    def timings(self, key: str) -> list[Timing]:
        """Return seconds, counts and peaks by learner and stage, over all attempts."""
        return readers.timings(self._index_of(key), key)

    def artefact(self, key: str, name: str, kind: str = "") -> Artefact:
        """Return the newest artefact of a name, with its arrays.

        Args:
            key: The run's key.
            name: The artefact's name.
            kind: Its kind; any if empty.

        Raises:
            StoreError: If the run has no such artefact.
        """
        return readers.artefact(self._index_of(key), key, name, kind)

    def artefacts(self, key: str) -> list[ArtefactEntry]:
        """List a run's artefacts: name, kind, digest and info, without arrays."""
        return readers.artefacts(self._index_of(key), key)

    def summary(self, key: str) -> dict[str, object] | None:
        """Return the stored statistics and verdict; None before the run's end."""
        return readers.text(self._index_of(key), key, "summary")

    def fingerprint(self, key: str) -> dict[str, object] | None:
        """Return the device, threads, versions and CPU capability that the run had."""
        return readers.text(self._index_of(key), key, "fingerprint")

    def folder(self, key: str) -> Path:
        """Return the folder of a run's files."""
        return files.run_folder(self._index_of(key).home, key)

    # the worker's side --------------------------------------------------------
    def claim(self, only: str = "") -> ClaimedJob | None:
        """Claim the job that is next, or only this one; None if none waits.

        Shards come after all others.
        """
        return claims.claim(self.index, only)

    def set_rules(self, served: Rules) -> None:
        """Set how the queue is served; a supervisor does when it starts."""
        self.index.write(lambda db: fair_queue.set_rules(db, served))

    def count_refusal(self) -> None:
        """Count a submission that was refused, for the operator."""
        self.index.write(fair_queue.count_refusal)

    def count_eligible(self) -> int:
        """Count the runs that wait for nothing but a worker; shards are none."""
        return self.index.read(fair_queue.count_eligible)

    def recorder(self, claim: ClaimedJob) -> Recorder:
        """Return the writer of a claimed run; every write checks its lease."""
        return Recorder(self.index, claim)

    # upkeep -------------------------------------------------------------------
    def sweep(self, reasons: dict[int, str] | None = None) -> list[leases.LeaseVerdict]:
        """Check every lease once: is its worker dead, hung or cancelled?

        Args:
            reasons: Why a process died, by pid, where the caller knows.

        Returns:
            What was done about each lease that is not in order.
        """
        return leases.sweep(self.index, reasons)

    def check(self, *, deep: bool = True) -> list[str]:
        """Check the index, and every file if `deep`; returns the damaged keys."""
        return repair.check_store(self.index, deep=deep)

    def tidy(self) -> int:
        """Remove orphan shards, temporary and orphan files; returns how many files."""
        shards.discard_orphans(self.index)
        return repair.tidy(self.index)

    def backup(self, target: Path) -> None:
        """Write a consistent snapshot of the index to a file."""
        self.index.backup(target)
