"""The supervisor: one per store, a process of its own, keeps warm workers.

It is started by whoever needs it and outlives them; it never computes. Idle, it looks
at one file's time stamp.
"""

import contextlib
import json
import logging
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from engine.contract.jobs import JobState
from engine.executors.restart_delay import LONGEST_PAUSE, RestartDelay, describe_exit
from engine.executors.supervisor_process import (
    STORE,
    SupervisorError,
    SupervisorStatus,
    start_supervisor,
    stop_supervisor,
    supervisor_status,
)
from engine.executors.worker_process import WORKER, WorkerProcess, stop_all
from engine.store import Store, StoreError, StoreGone, files, leases

ROUND_INTERVAL = 0.15  # seconds between two looks for new work
SWEEP_INTERVAL = 1.0  # seconds between two judgements of the leases
__all__ = [
    "Supervisor",
    "SupervisorError",
    "SupervisorStatus",
    "start_supervisor",
    "stop_supervisor",
    "supervise",
    "supervisor_status",
]
_log = logging.getLogger(__name__)


def core_count() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def supervise(
    home: Path | None = None,
    command: Sequence[str] = WORKER,
    workers: int | None = None,
) -> int:
    """Tend a store until asked to stop; returns the exit code.

    Whoever started it may say which store is meant (METASCOPE_STORE); then none is
    made.

    Args:
        home: The store's folder.
        command: Starts one worker; tests bring their own.
        workers: How many to keep warm; cores - 1 (at least 1) where not given.

    Raises:
        SupervisorError: If another one tends this store already.
        StoreGone: If the store that is meant is not there, or no longer.
    """
    store = Store.open(home, os.environ.get(STORE))
    lock = FileLock(store.home / "supervisor.lock", mode=0o600)
    try:
        lock.acquire(timeout=2)
    except Timeout:
        raise SupervisorError("another engine tends this store already") from None
    except OSError as error:
        raise files.as_store_error(error) from error
    with lock:
        Supervisor(store, command, workers or max(1, core_count() - 1)).run()
    return 0


class Supervisor:
    """Keeps workers alive, calls them when there is work, and judges leases."""

    def __init__(self, store: Store, command: Sequence[str], workers: int) -> None:
        self.store, self.command, self.wanted = store, list(command), workers
        self.children: dict[int, WorkerProcess] = {}
        self.stopping = False
        self._deaths = RestartDelay()
        self._reasons: dict[int, str] = {}  # how workers ended, until it is judged
        self._unasked: set[int] = set()  # those of them that nobody ended
        self._swept = -SWEEP_INTERVAL
        self._seen = 0
        self._noted = ""

    def run(self) -> None:
        """Tend the store until asked to stop.

        A folder that was moved takes its lock with it, and another store may come
        to stand in its place: that one is not ours.

        Raises:
            StoreGone: If the store is no longer in its place.
        """
        signal.signal(signal.SIGTERM, self.request_stop)
        signal.signal(signal.SIGINT, self.request_stop)
        self._start_up()
        try:
            while not self.stopping:
                self.store.check_in_place()
                self.run_round()
                time.sleep(ROUND_INTERVAL)
        finally:
            self._shut_down()

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Stop after the present look; also a signal handler."""
        self.stopping = True

    def run_round(self) -> None:
        """Do one round: reap, judge, start, call."""
        died = self._reap()
        now = time.monotonic()
        try:
            swept = died or now - self._swept >= SWEEP_INTERVAL
            if swept:
                self._swept = now
                self._sweep()
            self._start_worker()
            if swept or self._index_has_changed():
                self._notify_workers()
        except StoreGone:
            raise
        except StoreError as error:
            _log.warning("%s", error)

    def _start_up(self) -> None:
        self._write_status()
        try:
            self.store.check(deep=False)
            self.store.sweep()
            self.store.tidy()
        except StoreGone:
            raise
        except StoreError as error:
            _log.warning("%s", error)

    def _write_status(self) -> None:
        """Leave a note of who, how many, and how they die; a full disk does without."""
        about = {"workers": len(self.children), "deaths": asdict(self._deaths)}
        text = json.dumps(leases.this_process()._asdict() | about)
        if text == self._noted:
            return
        with contextlib.suppress(StoreError, FileNotFoundError):
            self.store.check_in_place()
            files.write_atomically(self.store.home / "supervisor.json", text.encode())
            self._noted = text

    # workers ------------------------------------------------------------------
    def _start_worker(self) -> None:
        if (
            len(self.children) >= self.wanted
            or self._deaths.is_pausing
            or self._reasons
        ):
            return
        worker = WorkerProcess.start(self.command, self.store)
        self.children[worker.pid] = worker
        self._write_status()

    def _reap(self) -> bool:
        """Notice workers that ended, and how."""
        ended = [
            pid for pid, c in self.children.items() if c.process.poll() is not None
        ]
        for pid in ended:
            child = self.children.pop(pid)
            child.request_stop()
            self._reasons[pid] = describe_exit(child.process.returncode)
            if not child.killed:
                _log.warning("worker %s %s", pid, self._reasons[pid])
                self._unasked.add(pid)
        return bool(ended)

    def _sweep(self) -> None:
        reasons = {pid: f"its worker {how}" for pid, how in self._reasons.items()}
        fates = self.store.sweep(reasons)
        for fate in fates:
            _log.warning("run %s: %s", fate.key[:12], fate.verdict)
            child = self.children.get(fate.pid)
            if fate.must_end and child is not None:
                child.kill()
        self._count_deaths({fate.pid for fate in fates})
        self._write_status()

    def _count_deaths(self, holders: set[int]) -> None:
        """Count the workers that died before they took a run.

        Args:
            holders: Those that held one; the run is to blame, and workers do start.
        """
        if self._deaths.count and self._has_live_worker():
            self._deaths.clear()
        for pid, how in self._reasons.items():
            if pid in holders:
                self._deaths.clear()
            elif pid in self._unasked:
                self._deaths.add(how)
        self._reasons.clear()
        self._unasked.clear()

    def _has_live_worker(self) -> bool:
        """Whether a worker has taken a run or has waited for one for long."""
        now = time.monotonic()
        if any(now - c.started > LONGEST_PAUSE for c in self.children.values()):
            return True
        running = self.store.jobs([JobState.RUNNING], kind=None)
        return any(job.worker in map(str, self.children) for job in running)

    def _index_has_changed(self) -> bool:
        """Say whether anything was written to the index since the last look."""
        with contextlib.suppress(OSError):
            stamp = self.store.index.path.stat().st_mtime_ns
            if stamp != self._seen:
                self._seen = stamp
                return True
        return False

    def _notify_workers(self) -> None:
        if self.store.count([JobState.QUEUED], kind=None):
            for child in self.children.values():
                child.notify()

    def _shut_down(self) -> None:
        stop_all(self.children.values())
        with contextlib.suppress(StoreError):
            self.store.sweep()
