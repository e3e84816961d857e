"""The store as a cache of runs that others use: tuned baselines, frozen learners."""

import time
from collections.abc import Sequence
from dataclasses import replace

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Event, Timing
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec
from engine.store import external_runs, listing, readers
from engine.store import timing_sums as store_timings
from engine.store.errors import StoreError
from engine.store.index import Index
from engine.store.queue import Submission


class StoredRunCache:
    """Tuned baselines as runs with a key of their own, computed once and shared."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def get(self, key: str) -> list[Event] | None:
        """Return a finished run's blocks, artefacts and timings.

        Args:
            key: The run's key.

        Returns:
            The events; None where the run is missing, unfinished or damaged.
        """
        job = listing.job(self._index, key)
        if job is None or job.state != JobState.DONE or job.damaged:
            return None
        try:
            return self._events(key)
        except StoreError:
            return None  # damaged or deleted meanwhile: the caller recomputes it

    def get_part(self, key: str) -> list[Event] | None:
        """Return what a run that ended early has recorded.

        Args:
            key: The run's key.

        Returns:
            The events; None where the run is missing or damaged.
        """
        try:
            return self._events(key)
        except StoreError:
            return None

    def _events(self, key: str) -> list[Event]:
        blocks, _ = readers.blocks(self._index, key, 0)
        listed = readers.artefacts(self._index, key)
        held = [readers.artefact(self._index, key, a, kind) for a, kind, *_ in listed]
        return [*blocks, *held, *readers.timings(self._index, key)]

    def put(self, key: str, spec: RunSpec, events: Sequence[Event]) -> None:
        """Store a finished sub-run; a run that has this key already is left as it is.

        Args:
            key: The run's key.
            spec: Its completed spec.
            events: All that its loop yielded.
        """
        now = time.time()
        row = Submission(spec, key, kind="tuning").first_row(JobState.DONE, 0)
        timings = store_timings.timings_as_rows(
            e for e in events if isinstance(e, Timing)
        )
        finished = external_runs.CompletedRun(
            row=replace(row, started=now, finished=now, stage="end", done=1.0),
            texts={"spec": spec.model_dump(mode="json"), "timings": timings},
            blocks=[e for e in events if isinstance(e, Block)],
            artefacts=[e for e in events if isinstance(e, Artefact)],
        )
        external_runs.file_completed_run(self._index, finished)

    def frozen_artefact(self, run: str, artefact: str) -> Artefact:
        """Return the frozen weights that an input of a spec names.

        Args:
            run: The key of the run that made them.
            artefact: Their name: the learner's label.

        Raises:
            Refused: If that run or artefact is not in this store.
        """
        try:
            return readers.artefact(self._index, run, artefact, "frozen")
        except StoreError as error:
            where = f"run {run[:12]} has no frozen {artefact[:40]!r}"
            raise Refused(f"{where}: {error}", "inputs") from None
