"""Runs that a command queues, waits for, and cancels if it is interrupted."""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE, RESUMABLE
from engine.contract.run_groups import RunGroup
from engine.contract.run_spec import RunSpec
from engine.executors.cores import worker_count, worker_niceness
from engine.executors.stop_signal import StopSignal
from engine.executors.supervisor import (
    SupervisorError,
    supervise_until,
    supervisor_status,
)
from engine.store import RunGroups, Store

POLL_INTERVAL = 0.5  # seconds between two looks at runs of another process's workers


def submit_or_resume(store: Store, spec: RunSpec, key: str, title: str) -> bool:
    """Queue a run, unless it has ended with a result or is in work already.

    Args:
        store: Where.
        spec: Its completed spec.
        key: Its key.
        title: Shown in lists, if it is new.

    Returns:
        Whether this call queued it.
    """
    found = store.job(key)
    # An unfinished run keeps its checkpoint and its title.
    if found is not None and found.state in RESUMABLE and not found.damaged:
        store.resume(key)
        return True
    job = store.submit(spec, key, title)
    return job.state in ALIVE and (found is None or found.state not in ALIVE)


class Workers(Protocol):
    """Whoever computes the queued runs of a store."""

    def run_until(self, store: Store, is_over: Callable[[], bool]) -> None:
        """Compute queued runs until it is over; it is asked several times a second."""


class LocalWorkers(NamedTuple):
    """Computes queued runs on this machine.

    Args:
        jobs: Worker processes of this command's own; 0 to use those of the store's
            supervisor, and own ones where there is none.
    """

    jobs: int = 0

    def check(self, store: Store) -> None:
        """Check, before a run is queued, that workers can compute it.

        Raises:
            Refused: If a supervisor serves the store where own workers are asked for,
                or METASCOPE_WORKERS or METASCOPE_NICENESS cannot be understood.
        """
        worker_count(), worker_niceness()
        if self.jobs and supervisor_status(store.home):
            raise Refused(
                "another engine already serves this store: leave out --jobs to use "
                "its workers, or stop it with `python -m engine supervise --stop`",
                "jobs",
            )

    def run_until(self, store: Store, is_over: Callable[[], bool]) -> None:
        """Compute queued runs until it is over.

        Args:
            store: The store.
            is_over: Asked several times a second.
        """
        while not is_over():
            if supervisor_status(store.home):
                time.sleep(POLL_INTERVAL)
                continue
            try:
                supervise_until(store, is_over, workers=self.jobs or None)
            except SupervisorError:
                continue  # the app has started one meanwhile


def wait_for_group(
    store: Store,
    group: str,
    workers: Workers,
    stop_signal: StopSignal,
    watch: Callable[[RunGroup], None],
) -> None:
    """Compute a group of queued runs.

    Args:
        store: Where they are queued.
        group: The group's id.
        workers: Compute them.
        stop_signal: Ends the wait.
        watch: Called whenever the number of runs in any state changes.
    """
    seen: list[RunGroup] = []

    def is_over() -> bool:
        now = RunGroups(store.index).find(group)
        if now is None or stop_signal.gone:
            return True
        if not seen or now.states != seen[-1].states:
            seen[:] = [now]
            watch(now)
        return not any(now.states.get(state) for state in ALIVE)

    workers.run_until(store, is_over)


def cancel_unfinished(store: Store, keys: list[str]) -> int:
    """Cancel those of these runs that have not ended; return how many."""
    alive = [key for key in keys if (job := store.job(key)) and job.state in ALIVE]
    for key in alive:
        store.cancel(key)
    return len(alive)
