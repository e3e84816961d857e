"""A run without the lab's store: played in this process, kept in one folder.

Until it ends, the folder holds a small store of its own, so that an interrupted
run goes on from its checkpoint; at the end it is exported and that store removed.
"""

import ctypes
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.bench import Bench
from engine.catalogue import cards
from engine.contract.blocks import Checkpoint, Event
from engine.contract.errors import Refused
from engine.contract.jobs import RESUMABLE, Job, JobState
from engine.contract.runs import RunSpec, complete_spec, run_key
from engine.device import resolve
from engine.export import Record, export_run
from engine.shelf import Shelf
from engine.store import NoRun, Store
from engine.supervisor import ALLOCATOR
from engine.worker import Leash, engine_tools, play

UNFINISHED = ".unfinished"
TRACEBACK = "traceback.txt"
_MALLOPT = {"MALLOC_MMAP_THRESHOLD_": -3, "MALLOC_TRIM_THRESHOLD_": -1}
_KEPT = (JobState.DONE, JobState.DIVERGED)


def settled(spec: RunSpec, device: str = "") -> RunSpec:
    """Complete a spec for this machine.

    Args:
        spec: What was asked.
        device: Overrides the spec's.

    Raises:
        Refused: If it cannot be run here.
    """
    kind = resolve(device or spec.device)
    full = complete_spec(spec.model_copy(update={"device": kind}), cards, kind)
    for choice in (full.family, *full.test_families):
        if lacking := cards("family", choice.name).missing:
            raise Refused(f"{choice.name} needs {lacking}, which is not here", "family")
    Bench(full).check()
    return full


@dataclass(frozen=True)
class Outing:
    """A run on its way: a settled spec, its folder, and who watches."""

    spec: RunSpec
    folder: Path
    watch: Callable[[Event], None]
    leash: Leash

    @property
    def key(self) -> str:
        """Return the run's key."""
        return run_key(self.spec, cards)

    @property
    def private(self) -> Path:
        """Return where it is kept until it ends."""
        return self.folder / UNFINISHED

    def begin(self, *, resume: bool) -> Store:
        """Open the folder's own store.

        Raises:
            Refused: If the folder holds another run, or an unfinished one that is
                not to be resumed.
        """
        _check_folder(self.folder)
        held = self.private.exists()
        if held and not resume:
            raise Refused(
                f"{self.folder} holds an unfinished run; add --resume to go on with "
                "it, or choose another folder",
                "out",
            )
        if resume and not held:
            raise Refused(f"{self.folder} holds no unfinished run to resume", "out")
        store = Store.open(self.private)
        if held:
            self._revive(store)
        return store

    def _revive(self, store: Store) -> None:
        store.sweep()
        job = store.job(self.key)
        if job is None:
            raise Refused(
                f"{self.folder} holds an unfinished run of another spec", "out"
            )
        if job.state == JobState.RUNNING:
            raise Refused(f"another process is running this in {self.folder}", "out")
        if job.state in RESUMABLE:
            store.resume(self.key)

    def play(self, store: Store) -> Job:
        """Play the inputs, then the run; returns how it ended."""
        job = self._play_inputs(store) or self._played(store, self.spec)
        if job.error and job.traceback:
            (self.folder / TRACEBACK).write_text(job.traceback)
        return job

    def _play_inputs(self, store: Store) -> Job | None:
        """Recompute what this run starts from; returns the first that failed."""
        for label, given in self.spec.inputs.items():
            if given.spec is None:
                raise Refused(
                    f"{label} starts from a run whose spec is not given", "inputs"
                )
            source = settled(given.spec)
            if run_key(source, cards) != given.run:
                raise Refused(
                    f"{label} starts from run {given.run[:12]}, which gives other "
                    "numbers with these versions",
                    "inputs",
                )
            inner = replace(self, spec=source)
            job = inner._play_inputs(store) or self._played(store, source)
            if job.state not in _KEPT:
                return job
        return None

    def _played(self, store: Store, spec: RunSpec) -> Job:
        key = run_key(spec, cards)
        job = store.submit(spec, key)
        claim = store.claim() if job.state == JobState.QUEUED else None
        if claim is not None:
            tools = engine_tools()
            play(store, claim, replace(tools, run=self._watched(tools.run)), self.leash)
        found = store.job(key)
        if found is None:
            raise NoRun(key)
        return found

    def _watched(
        self, run: Callable[[RunSpec, Shelf, Checkpoint | None], Iterator[Event]]
    ) -> Callable[[RunSpec, Shelf, Checkpoint | None], Iterator[Event]]:
        def watched(
            spec: RunSpec, shelf: Shelf, resume: Checkpoint | None
        ) -> Iterator[Event]:
            for event in run(spec, shelf, resume):
                self.watch(event)
                yield event

        return watched

    def finish(self, store: Store, *, traces: bool) -> Record:
        """Export a run that ended, and remove what was kept to resume it."""
        record = Record.stored(store, self.key)
        export_run(record, self.folder, traces=traces)
        shutil.rmtree(self.private)
        return record


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise Refused(f"the folder {folder} cannot be made: {why}", "out") from None


def settle_allocator() -> None:
    """Let glibc keep large blocks, as the supervisor does for its workers.

    Otherwise it gives large tensors back at every step, which costs up to two
    thirds of the speed.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    for name, value in ALLOCATOR.items():
        if mallopt is not None and name not in os.environ:
            mallopt(_MALLOPT[name], int(value))
            os.environ[name] = value
