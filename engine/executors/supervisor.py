"""The supervisor: a process, one per store, that keeps worker processes ready.

Any process that needs it starts it, and it outlives that process; it computes nothing
itself. When idle it only checks one file's modification time, and keeps one worker;
the others are started when work waits for them, and end when none has for a while.
"""

import contextlib
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from engine.contract.jobs import JobState
from engine.executors import demo
from engine.executors.cores import worker_count, worker_niceness
from engine.executors.supervisor_control import (
    STORE,
    SupervisorError,
    SupervisorStatus,
    start_supervisor,
    stop_supervisor,
    supervisor_status,
)
from engine.executors.upkeep import Upkeep
from engine.executors.worker_handle import WORKER
from engine.executors.worker_pool import WorkerPool
from engine.store import Store, StoreError, StoreGone, files, leases

ROUND_INTERVAL = 0.15  # seconds between two checks for new work
SWEEP_INTERVAL = 1.0  # seconds between two checks of the leases
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


def supervise(
    home: Path | None = None,
    command: Sequence[str] = WORKER,
    workers: int | None = None,
) -> int:
    """Supervise a store until asked to stop.

    The caller may set METASCOPE_STORE to the identity of the store it means; then no
    store is created.

    Args:
        home: The store's folder.
        command: Starts one worker; tests pass their own.
        workers: How many compute at the same time; `worker_count()` if None.

    Returns:
        The exit code.

    Raises:
        SupervisorError: If another supervisor already serves this store.
        StoreGone: If that store does not exist, or no longer.
        Refused: If METASCOPE_WORKERS or METASCOPE_NICENESS cannot be understood.
    """
    workers, _ = workers or worker_count(), worker_niceness()
    store = Store.open(home, os.environ.get(STORE))
    with lock_store(store):
        Supervisor(store, command, workers).run()
    return 0


def supervise_until(
    store: Store,
    is_over: Callable[[], bool],
    command: Sequence[str] = WORKER,
    workers: int | None = None,
) -> None:
    """Supervise a store in this process for a while; its workers then exit.

    Args:
        store: The store.
        is_over: Asked several times a second whether to stop.
        command: Starts one worker.
        workers: How many to keep ready; `worker_count()` if None.

    Raises:
        SupervisorError: If another supervisor already serves this store.
        StoreGone: If the store is no longer at its path.
    """
    with lock_store(store):
        Supervisor(store, command, workers or worker_count()).serve(is_over)


@contextlib.contextmanager
def helper_workers(store: Store, count: int) -> Iterator[None]:
    """Keep workers on the shards of a run that this process executes.

    Args:
        store: Where the shards are queued; no other supervisor serves it.
        count: How many workers; with 0 or less, none is started.
    """
    if count < 1:
        yield
        return
    ended = threading.Event()
    serve = partial(supervise_until, store, ended.is_set, WORKER, count)
    caller = threading.Thread(target=serve, daemon=True)
    caller.start()
    try:
        yield
    finally:
        ended.set()
        caller.join()


@contextlib.contextmanager
def lock_store(store: Store) -> Iterator[None]:
    """Hold the lock that makes this process the store's only supervisor."""
    lock = FileLock(store.home / "supervisor.lock", mode=0o600)
    try:
        lock.acquire(timeout=2)
    except Timeout:
        raise SupervisorError("another engine already serves this store") from None
    except OSError as error:
        raise files.as_store_error(error) from error
    try:
        yield
    finally:
        lock.release()


class Supervisor:
    """Keeps workers alive, notifies them of work, and checks their leases.

    Args:
        store: Where runs are queued and recorded.
        command: Starts one worker.
        workers: How many compute at the same time, at most.
    """

    def __init__(self, store: Store, command: Sequence[str], workers: int) -> None:
        self.store, self.pool = store, WorkerPool(store, command, workers)
        self.upkeep = Upkeep(store)
        self.stopping = False
        self._swept = -SWEEP_INTERVAL
        self._seen = 0
        self._noted = ""

    def run(self) -> None:
        """Supervise the store until asked to stop.

        A folder that was moved takes its lock with it, and another store may then be
        made at its path: that one belongs to another supervisor.

        Raises:
            StoreGone: If the store is no longer at its path.
        """
        signal.signal(signal.SIGTERM, self.request_stop)
        signal.signal(signal.SIGINT, self.request_stop)
        self.serve(lambda: self.stopping)

    def serve(self, is_over: Callable[[], bool]) -> None:
        """Supervise the store until it is over; then the workers exit.

        Args:
            is_over: Asked before every round.

        Raises:
            StoreGone: If the store is no longer at its path.
        """
        self._start_up()
        try:
            while not is_over():
                self.store.check_in_place()
                self.run_round()
                time.sleep(ROUND_INTERVAL)
        finally:
            self._shut_down()

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Stop after the current round; also a signal handler."""
        self.stopping = True

    def run_round(self) -> None:
        """Do one round: reap, check leases, start and notify workers."""
        died = self.pool.reap()
        now = time.monotonic()
        try:
            swept = died or now - self._swept >= SWEEP_INTERVAL
            # Leases first: a dead worker's run is queued again before one is started.
            if swept:
                self._swept = now
                self._sweep()
                self.pool.end_idle()
                self.upkeep.run_if_due()
            if swept or self._index_has_changed():
                if self.pool.start_needed():
                    self._write_status()
                self._notify_workers()
        except StoreGone:
            raise
        except StoreError as error:
            _log.warning("%s", error)

    def _start_up(self) -> None:
        self._write_status()
        try:
            self.store.set_rules(demo.queue_rules(self.pool.most))
            self.store.check(deep=False)
            self.store.sweep()
            self.store.tidy()
        except StoreGone:
            raise
        except StoreError as error:
            _log.warning("%s", error)

    def _write_status(self) -> None:
        """Write the status file: process, workers, deaths; a full disk is ignored."""
        text = json.dumps(leases.this_process()._asdict() | self.pool.status())
        if text == self._noted:
            return
        with contextlib.suppress(StoreError, FileNotFoundError):
            self.store.check_in_place()
            files.write_atomically(self.store.home / "supervisor.json", text.encode())
            self._noted = text

    def _sweep(self) -> None:
        reasons = {pid: f"its worker {how}" for pid, how in self.pool.exits.items()}
        verdicts = self.store.sweep(reasons)
        for one in verdicts:
            _log.warning("run %s: %s", one.key[:12], one.verdict)
            if one.must_end:
                self.pool.kill(one.pid)
        self.pool.count_deaths({one.pid for one in verdicts})
        self._write_status()

    def _index_has_changed(self) -> bool:
        """Return whether anything was written to the index since the last call."""
        with contextlib.suppress(OSError):
            stamp = self.store.index.path.stat().st_mtime_ns
            if stamp != self._seen:
                self._seen = stamp
                return True
        return False

    def _notify_workers(self) -> None:
        if self.store.count([JobState.QUEUED], kind=None):
            self.pool.notify()

    def _shut_down(self) -> None:
        self.pool.stop()
        with contextlib.suppress(StoreError):
            self.store.sweep()
