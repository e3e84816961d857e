"""Workspaces of the public demo: each visitor's runs are a store of their own.

A workspace lists, names, tags, groups and deletes its runs like any store, and can
reach nothing else. The runs are computed in the shared store, once for all who ask for
them; a workspace shows their state while they are computed and then takes them over.
"""

import os
import re
import time
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path

from engine.contract.jobs import ALIVE, FINAL, Job, JobState, check_transition
from engine.contract.run_spec import RunSpec
from engine.store import (
    adoption,
    files,
    listing,
    queue,
    readers,
    repair,
    run_rows,
    shards,
)
from engine.store.errors import NoRun, StoreError
from engine.store.fair_queue import COST, OPERATOR, Quota
from engine.store.index import Index
from engine.store.result_cache import ResultCache
from engine.store.store import Store

FOLDER = "workspaces"
EMPTY = "empty"  # the workspace that visitors without runs read
_OWN_FILES = "own"  # one empty file per digest
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-f]{32}|empty")
UNFINISHED = [state for state in JobState if state not in FINAL]
_NO_QUOTA = Quota(10**6, 10**6)
_TOUCH_INTERVAL = 300.0  # seconds between two notes that a workspace is in use


def _reads_nothing(key: str) -> bool:
    return False


class WorkspaceStore(Store):
    """The runs of one visitor.

    Its folder is made with its first run, so that a visitor who only looks leaves
    nothing behind.

    Args:
        shared: The store in which runs are computed.
        name: The workspace's name, 32 hex digits; None for a visitor who has none yet.
        can_read: Whether a finished run of the shared store is this visitor's to
            read, by its key.
        quota: How many runs this visitor may have in the queue; None for any number.
    """

    def __init__(
        self,
        shared: Store,
        name: str | None,
        can_read: Callable[[str], bool] = _reads_nothing,
        quota: Quota | None = None,
    ) -> None:
        super().__init__(shared.home / FOLDER / _check_name(name or EMPTY))
        self.shared, self.name, self._can_read = shared, name, can_read
        self._quota = quota or _NO_QUOTA
        if not self.index.path.exists():
            empty = shared.home / FOLDER / EMPTY
            if not (empty / self.index.path.name).exists():
                self._create(empty)
            self.index = Index(empty, repair.rebuild)

    def make(self) -> None:
        """Make this visitor's folder, if it is not there.

        Raises:
            StoreError: If this visitor has no workspace.
        """
        if self.name is None:
            raise StoreError("this browser keeps no cookies, so it cannot own runs")
        self._create(self.home)
        self.index = Index(self.home, repair.rebuild)

    def add_file(self, digest: str) -> None:
        """Note that this visitor has uploaded a file; others cannot name it."""
        self.make()
        folder = self.home / _OWN_FILES
        files.make_folder(folder)
        (folder / _check_digest(digest)).touch()

    def has_file(self, digest: str) -> bool:
        """Whether this visitor has uploaded a file."""
        return (self.home / _OWN_FILES / _check_digest(digest)).exists()

    def was_imported(self, key: str) -> bool:
        """Whether a run is of this workspace and came from an archive.

        Nobody has checked what such a run needs, or names, before it is computed.
        """
        own = listing.job(self.index, key)
        return own is not None and own.workspace != self.name

    def _create(self, home: Path) -> None:
        files.make_folder(self.shared.home / FOLDER)
        Store.open(home)

    @property
    def identity(self) -> str | None:
        """An id that tells the shared store from another one at the same path."""
        return self.shared.identity

    @property
    def engine_home(self) -> Path:
        """The folder of the store whose supervisor computes this store's runs."""
        return self.shared.home

    @cached_property
    def cache(self) -> ResultCache:
        """The shared store's cache: what it holds is the same for everyone."""
        return self.shared.cache

    def check_in_place(self) -> None:
        """Check that the shared store is still in its folder.

        Raises:
            StoreGone: If its folder was moved, deleted or replaced.
        """
        self.shared.check_in_place()

    def follow(self) -> None:
        """Bring the runs that are not finished up to date with the shared store."""
        for job in listing.jobs(self.index, listing.JobFilter(UNFINISHED), 1000, 0):
            adoption.mirror(self.shared.index, self.index, job.key)
        self._note_use()

    def submit(
        self,
        spec: RunSpec,
        key: str,
        title: str = "",
        *,
        again: bool = False,
        workspace: str = OPERATOR,
        cost: float | None = None,
        quota: Quota | None = None,
    ) -> Job:
        """File a run here and ask the shared store for it.

        A run that another visitor has computed is there at once. Results are never
        discarded: others may look at them, and a new run would give the same numbers.

        Raises:
            StoreError: If this visitor has no workspace.
        """
        self.make()
        # The title is the visitor's own, so it stays here.
        self._ask(spec, key, cost)
        own = queue.Submission(spec, key, title, str(self.name), cost=cost)
        queue.submit(self.index, own, False)
        adoption.mirror(self.shared.index, self.index, key)
        return self._require_job(key)

    def job(self, key: str) -> Job | None:
        """Return a run's job, live while it is computed; None if there is none here."""
        own = listing.job(self.index, key)
        if own is None:
            return self._job_of_others(key)
        if own.state in FINAL:
            return own
        adoption.mirror(self.shared.index, self.index, key)
        own = listing.job(self.index, key)
        live = self.shared.job(key)
        if own is None or live is None or live.state != own.state:
            return own
        return _with_liveness(own, live)

    def jobs_by_key(self, keys: Collection[str]) -> dict[str, Job]:
        """Return the jobs of these keys, by key, without their tracebacks."""
        own = super().jobs_by_key(keys)
        asked = [key for key in keys if key not in own and self._can_read(key)]
        others = self.shared.jobs_by_key(asked) if asked else {}
        # Live ones and those of others are shown as `job` shows them.
        special = [key for key, job in own.items() if job.state not in FINAL]
        found = {key: self.job(key) for key in (*special, *others)}
        return own | {key: job for key, job in found.items() if job is not None}

    def cancel(self, key: str) -> Job:
        """Cancel a run here; it goes on for others who wait for it."""
        own = self._require_own(key)
        if own.state not in FINAL:
            adoption.adopt(self.shared.index, self.index, key)
            queue.cancel(self.index, key)
            self._leave(key)
        return self._require_job(key)

    def resume(self, key: str) -> Job:
        """Ask for an ended but unfinished run again; it goes on from its checkpoint.

        Raises:
            IllegalTransition: If it is done or diverged.
        """
        own = self._require_own(key)
        if own.state not in ALIVE:
            check_transition(own.state, JobState.QUEUED)
        cost = readers.text(self.index, key, COST)
        self._ask(super().spec(key), key, cost)
        queue.resume(self.index, key)
        adoption.mirror(self.shared.index, self.index, key)
        return self._require_job(key)

    def delete(self, key: str) -> None:
        """Delete a run here; the shared store keeps what others may ask for."""
        self._require_own(key)
        super().delete(key)
        self._leave(key)

    def _ask(self, spec: RunSpec, key: str, cost: object) -> None:
        """Ask the shared store for a run, and follow it."""
        self.shared.submit(
            spec,
            key,
            workspace=str(self.name),
            cost=cost if isinstance(cost, float | int) else None,
            quota=self._quota,
        )

    def _leave(self, key: str) -> None:
        queue.leave(self.shared.index, key, str(self.name))
        job = self.shared.job(key)
        if job is not None and job.state == JobState.CANCELLED:
            shards.cancel_all(self.shared.index, key)

    def _require_own(self, key: str) -> Job:
        """Return the job of a run of this workspace.

        Raises:
            NoRun: If it is not this workspace's, whoever else has it.
        """
        own = listing.job(self.index, run_rows.check_key(key))
        if own is None:
            raise NoRun(key)
        return own

    def _require_job(self, key: str) -> Job:
        job = self.job(key)
        if job is None:
            raise NoRun(key)
        return job

    def _job_of_others(self, key: str) -> Job | None:
        """Return a finished run of the shared store, if this visitor may read it."""
        if not self._can_read(key):
            return None
        job = self.shared.job(key)
        if job is None or job.kind != "run" or job.state != JobState.DONE:
            return None
        # What others called it is theirs.
        return Job(**{**vars(job), "title": "", "workspace": OPERATOR})

    def _index_of(self, key: str) -> Index:
        """Return the index that holds a run's results.

        The shared store's where it has this very result, so that all visitors read the
        same files.

        Raises:
            NoRun: If the run is neither this workspace's nor open to its visitor.
        """
        own = listing.job(self.index, run_rows.check_key(key))
        if own is None:
            if self._job_of_others(key) is None:
                raise NoRun(key)
            return self.shared.index
        shared = self.shared.job(key)
        if shared is None or shared.damaged:
            return self.index
        same = (own.attempt, own.finished) == (shared.attempt, shared.finished)
        return self.shared.index if own.state not in FINAL or same else self.index

    def _note_use(self) -> None:
        """Note that the workspace is in use, by the age of its index."""
        path = self.home / "index.sqlite"
        try:
            if time.time() - path.stat().st_mtime > _TOUCH_INTERVAL:
                os.utime(path)
        except OSError:  # it has none yet, or the disk is read-only
            return


def _with_liveness(own: Job, live: Job) -> Job:
    """Return a workspace's job with the progress that its worker makes elsewhere."""
    names = ("beat", "position", "wait", "stage", "done", "error", "traceback")
    return Job(**{**vars(own), **{name: getattr(live, name) for name in names}})


def _check_name(name: str) -> str:
    """Return a workspace's name after a check of its form, as it names a folder."""
    if not _NAME.fullmatch(name):
        raise StoreError("this is no workspace's name")
    return name


def _check_digest(digest: str) -> str:
    """Return a file's digest after a check of its form, as it names a file."""
    if not _DIGEST.fullmatch(digest):
        raise StoreError("this is no file's digest")
    return digest
