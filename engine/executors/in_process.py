"""Local runs: executed in this process, with the results in one folder.

Until the run ends, the folder holds a small store of its own, so that an interrupted
run can resume from its checkpoint; at the end the run is exported and that store
removed.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from engine.catalogue import find_card
from engine.contract.errors import Refused, json_path
from engine.contract.events import Checkpoint, Event
from engine.contract.jobs import RESUMABLE, Job, JobState
from engine.contract.replicate_batches import replicate_batches
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec, complete_spec
from engine.device import resolve_device
from engine.executors.cores import core_count
from engine.executors.remote_workers import RemoteWorkers
from engine.executors.stop_signal import StopSignal
from engine.executors.supervisor import helper_workers
from engine.executors.worker import play
from engine.executors.worker_functions import Runner, load_toolkit, own_code_family
from engine.export import RunRecord, export_run
from engine.export.exported_files import config_json
from engine.export.overwrite_guard import check_folder, has_traces
from engine.runner.context import RunContext
from engine.runner.helpers import Helpers
from engine.runner.memory_estimate import check_memory
from engine.runner.results_of_other_runs import RunCache
from engine.runner.spec_checks import check_run
from engine.store import NoRun, NoStore, Store, files, shards

UNFINISHED = ".unfinished"
TRACEBACK = "traceback.txt"
ASKED = "spec.json"  # in the unfinished run's folder: what to resume
_KEPT = (JobState.DONE, JobState.DIVERGED)


def settle_spec(spec: RunSpec, device: str = "") -> RunSpec:
    """Complete a spec for this machine.

    Args:
        spec: What the user asked for.
        device: Overrides the spec's; empty to keep it.

    Returns:
        The spec with every default and the resolved device.

    Raises:
        Refused: If it cannot be run here.
    """
    kind = resolve_device(device or spec.device)
    full = complete_spec(spec.model_copy(update={"device": kind}), find_card, kind)
    families = {f"test_families.{i}": c for i, c in enumerate(full.test_families)}
    for place, choice in {"family": full.family, **families}.items():
        if lacking := find_card("family", choice.name).missing:
            raise Refused(
                f"{json_path(place)}.name: {choice.name} needs {lacking}, which is "
                "missing; set METASCOPE_DATA to the folder that holds it",
                place,
            )
    check_run(RunContext(full))
    return full


@dataclass(frozen=True)
class LocalRun:
    """A run in this process.

    Args:
        spec: Completed by `settle_spec`.
        folder: Where the results go.
        watch: Called with every event.
        stop_signal: Set to interrupt the run.
        jobs: Batches of replicates that are computed at the same time, at most.
        remote: Compute its batches in this process's place; None for this machine.
        refusals: Refusals raised while the run was executed, collected here.
    """

    spec: RunSpec
    folder: Path
    watch: Callable[[Event], None]
    stop_signal: StopSignal
    jobs: int = 1
    remote: RemoteWorkers | None = None
    refusals: list[Refused] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Return the run's key."""
        return run_key(self.spec, find_card)

    @property
    def unfinished_folder(self) -> Path:
        """Return the folder of its store until it ends."""
        return self.folder / UNFINISHED

    def existing_summary(self, *, traces: bool) -> dict[str, Any] | None:
        """Return the summary if the folder already holds this very run, else None.

        Args:
            traces: Whether the run must be there with its traces.

        Raises:
            Refused: If the folder holds another run, or this one without traces.
        """
        held = check_folder(self.folder, self.key, force=False)
        if held is None or not held.is_complete:
            return None
        if traces and not has_traces(self.folder):
            raise Refused(
                f"{self.folder} holds this run without traces; add --force to compute "
                "it again with them",
                "traces",
            )
        return held.summary

    def open_store(self, *, resume: bool, force: bool = False) -> Store:
        """Open the folder's own store.

        Args:
            resume: Whether to continue the unfinished run.
            force: Whether to discard the unfinished run.

        Raises:
            Refused: If the folder holds another run, or an unfinished one that is
                not to be resumed.
        """
        _make_folder(self.folder)
        held = self.unfinished_folder.exists()
        if held and force:
            self._discard_unfinished()
        elif held and not resume:
            raise Refused(
                f"{self.folder} holds an unfinished run; add --resume to continue "
                "it, --force to start over, or choose another folder",
                "out",
            )
        if resume and not held:
            raise Refused(f"{self.folder} holds no unfinished run to resume", "out")
        store = Store.open(self.unfinished_folder)
        if resume:
            self._resume_job(store)
        else:
            files.write_atomically(
                self.unfinished_folder / ASKED, config_json(self.spec)
            )
        return store

    def _discard_unfinished(self) -> None:
        """Delete the unfinished run.

        Raises:
            Refused: If another process is running it.
        """
        store = Store.open(self.unfinished_folder)
        store.sweep()
        if store.count([JobState.RUNNING], kind=None):
            raise Refused(f"another process is running in {self.folder}", "out")
        shutil.rmtree(self.unfinished_folder)

    def _resume_job(self, store: Store) -> None:
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
        # A worker of the command that was killed may hold one and never end it.
        shards.cancel_all(store.index, self.key)

    def play(self, store: Store) -> Job:
        """Execute the runs that this one starts from, then the run itself.

        Args:
            store: The folder's own, from `open_store`.

        Returns:
            The job as it ended.

        Raises:
            Refused: If a part refuses its settings or data.
        """
        try:
            job = self._play_inputs(store) or self._play_spec(store, self.spec)
            if self.refusals:
                raise self.refusals[-1]
        except Refused:
            self.remove_if_empty()
            raise
        if job.error and job.traceback:
            (self.folder / TRACEBACK).write_text(job.traceback)
        return job

    def remove_if_empty(self) -> None:
        """Remove the store of a run that computed nothing; results always stay."""
        with contextlib.suppress(NoStore):  # it was refused before a store was made
            store = Store.open_existing(self.unfinished_folder)
            if any(store.blocks(job.key)[0] for job in store.jobs(kind=None)):
                return
        shutil.rmtree(self.unfinished_folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # the user's files are in it
            self.folder.rmdir()

    def _play_inputs(self, store: Store) -> Job | None:
        """Recompute the runs that this one starts from; return one that failed."""
        for label, given in self.spec.inputs.items():
            if given.spec is None:
                raise Refused(
                    f"{label} starts from a run whose spec is missing", "inputs"
                )
            source = settle_spec(given.spec)
            if run_key(source, find_card) != given.run:
                raise Refused(
                    f"{label} starts from run {given.run[:12]}, which has another key "
                    "with the versions installed here: its results would differ",
                    "inputs",
                )
            check_memory(source)
            inner = replace(self, spec=source)
            job = inner._play_inputs(store) or self._play_spec(store, source)
            if job.state not in _KEPT:
                return job
        return None

    def _play_spec(self, store: Store, spec: RunSpec) -> Job:
        key = run_key(spec, find_card)
        job = store.submit(spec, key)
        claim = store.claim(key) if job.state == JobState.QUEUED else None
        if claim is not None:
            remote = self.remote
            tools = remote.toolkit(self.stop_signal) if remote else load_toolkit()
            # Memory was checked before, or is by whoever computes the batches.
            tools = replace(tools, check=None, run=self._with_watcher(tools.run))
            helpers = remote.helpers if remote else partial(helper_workers, store)
            # Only now, so that no helper takes the run itself.
            with helpers(self._count_helpers(spec)):
                play(store, claim, tools, self.stop_signal)
        found = store.job(key)
        if found is None:
            raise NoRun(key)
        return found

    def _count_helpers(self, spec: RunSpec) -> int:
        """Return how many helpers of a run are of use beside this process."""
        # A worker takes one shard after another: more than cores only cost their start.
        most = min(self.jobs, core_count())
        local = 1 if own_code_family(spec) else most  # workers refuse own code
        slots = self.remote.slots if self.remote else local
        return min(slots, len(replicate_batches(spec))) - 1

    def _with_watcher(self, run: Runner) -> Runner:
        def watch_events(
            spec: RunSpec,
            cache: RunCache,
            resume: Checkpoint | None,
            *,
            helpers: Helpers | None = None,
        ) -> Iterator[Event]:
            try:
                for event in run(spec, cache, resume, helpers=helpers):
                    self.watch(event)
                    yield event
            # The worker turns errors into a failed job; a refusal is the user's to fix.
            except Refused as refusal:
                self.refusals.append(refusal)
                raise

        return watch_events

    def finish(self, store: Store, *, traces: bool) -> RunRecord:
        """Export a run that ended, and remove the store that it could resume from.

        Args:
            store: The folder's own.
            traces: Whether to export the traces, too.

        Returns:
            What was exported.
        """
        record = RunRecord.from_store(store, self.key)
        export_run(record, self.folder, traces=traces, job=store.job(self.key))
        (self.folder / TRACEBACK).unlink(missing_ok=True)  # from an earlier attempt
        shutil.rmtree(self.unfinished_folder)
        return record


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise Refused(f"the folder {folder} cannot be made: {why}", "out") from None
