"""Runs on a Ray cluster: batches are computed on its nodes, everything else is here.

This process claims runs and shards from its own store and records them there, as a
worker does; only the batch itself is computed elsewhere. So a node that is lost costs
what it computed since the last checkpoint, and nothing of a run stays on the cluster.
Import it with `ray_environment.load_ray_cluster`.
"""

import contextlib
import logging
import os
import secrets
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from engine.contract.errors import Refused
from engine.executors.allocator import ALLOCATOR
from engine.executors.cores import worker_count
from engine.executors.ray_batches import RayBatches, RunResults
from engine.executors.ray_reaper import reap_afterwards
from engine.executors.stop_signal import StopSignal
from engine.executors.supervisor_control import ROOT
from engine.executors.upkeep import note_shipped_of
from engine.executors.worker import play
from engine.executors.worker_functions import Toolkit, load_toolkit
from engine.executors.worker_handle import ONE_THREAD
from engine.store import Store, StoreBusy, StoreError, StoreFull

# A private folder is made in it.
SHORT_FOLDER = "/tmp"  # nosec B108
POLL_INTERVAL = 0.25  # seconds between two looks at the queue
SWEEP_INTERVAL = 2.0  # seconds between two checks of the leases
CONNECT_TIMEOUT = 5.0  # seconds
OBJECT_STORE = 256 * 2**20  # bytes of a cluster started here; events are small
_log = logging.getLogger(__name__)


class RayWorkers:
    """The nodes of a cluster, as the workers of a store here.

    Args:
        store: The store.
        actor: Of its results of other runs.
        slots: How many batches are computed at the same time.
    """

    def __init__(self, store: Store, actor: Any, slots: int) -> None:
        self.store, self.slots = store, slots
        self._actor, self._tools = actor, load_toolkit()
        note_shipped_of(store, self._tools.shipped_keys)

    def toolkit(self, stop_signal: StopSignal) -> Toolkit:
        """Return what a worker calls to execute one run on the cluster.

        Args:
            stop_signal: Interrupts it.
        """
        tools, batches = self._tools, RayBatches(self._actor, stop_signal)
        return replace(
            tools,
            run=partial(tools.run, compute=batches),
            compute_batch=batches,
            check=None,  # the node checks, since its memory counts
            fingerprint=lambda device: batches.fingerprint or tools.fingerprint(device),
        )

    def run_until(self, store: Store, is_over: Callable[[], bool]) -> None:
        """Compute queued runs until it is over.

        Args:
            store: The store, that of this object.
            is_over: Asked several times a second.
        """
        swept = -SWEEP_INTERVAL
        with self.helpers(self.slots) as failures:
            while not (failures or is_over()):
                # Runs of a process that was killed go back to the queue.
                if time.monotonic() - swept > SWEEP_INTERVAL:
                    swept = time.monotonic()
                    _sweep(store)
                time.sleep(POLL_INTERVAL)
        if failures:
            raise failures[0]

    @contextlib.contextmanager
    def helpers(self, count: int) -> Iterator[list[StoreError]]:
        """Let threads execute queued runs and shards on the cluster.

        Args:
            count: How many.

        Yields:
            The errors of threads that ended because of the store; empty at first.
        """
        stop_signal, failures = StopSignal(), []
        threads = [
            threading.Thread(target=self._serve, args=(stop_signal, failures))
            for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        try:
            yield failures
        finally:
            stop_signal.request_stop()
            for thread in threads:
                thread.join()

    def _serve(self, stop_signal: StopSignal, failures: list[StoreError]) -> None:
        """Execute one run or shard after the other until asked to stop."""
        watch = _IndexWatch(self.store)
        while not stop_signal.gone:
            if not watch.may_hold_work():
                time.sleep(POLL_INTERVAL)
                continue
            try:
                claim = self.store.claim()
                if claim is not None:
                    play(self.store, claim, self.toolkit(stop_signal), stop_signal)
                    watch = _IndexWatch(self.store)
                    continue
            except (StoreBusy, StoreFull) as error:
                _log.warning("%s", error)
            except StoreError as error:
                failures.append(error)
                return
            time.sleep(POLL_INTERVAL)


class _IndexWatch:
    """Spares a thread that waits for work most looks at the queue.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._path = store.index.path
        self._stamp, self._looked = 0, -SWEEP_INTERVAL

    def may_hold_work(self) -> bool:
        """Return whether the index was written to, or not looked at for a while."""
        stamp, now = 0, time.monotonic()
        with contextlib.suppress(OSError):  # the look itself then says what is wrong
            stamp = self._path.stat().st_mtime_ns
        if stamp == self._stamp and now - self._looked < SWEEP_INTERVAL:
            return False
        self._stamp, self._looked = stamp, now
        return True


def _sweep(store: Store) -> None:
    with contextlib.suppress(StoreBusy, StoreFull):
        store.sweep()


@contextlib.contextmanager
def connect(store: Store, address: str = "", jobs: int = 0) -> Iterator[RayWorkers]:
    """Connect to a cluster, or start one on this machine; leave nothing of it behind.

    Args:
        store: Where runs are queued and recorded.
        address: `auto` or HOST:PORT of a cluster that this machine is a node of; empty
            to start one here.
        jobs: How many batches are computed at the same time; 0 for one per core.

    Raises:
        Refused: If no cluster answers there, or it refuses the token.
    """
    with _own_cluster(jobs) if not address else _other_cluster(address):
        here = NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        options = {"num_cpus": 0, "scheduling_strategy": here, "max_concurrency": 4}
        home = str(store.home.absolute())
        actor = ray.remote(RunResults).options(**options).remote(home, store.identity)
        cores = int(ray.cluster_resources().get("CPU", 1))
        yield RayWorkers(store, actor, min(jobs or cores, cores))


@contextlib.contextmanager
def _own_cluster(jobs: int) -> Iterator[None]:
    # The path of a socket has at most 107 bytes, and a user's TMPDIR may be long.
    short = SHORT_FOLDER if os.access(SHORT_FOLDER, os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="metascope-ray-", dir=short)
    with reap_afterwards(folder):
        try:
            _init(
                {"METASCOPE_HOME": f"{folder}/node"},
                num_cpus=jobs or worker_count(),
                include_dashboard=False,
                object_store_memory=OBJECT_STORE,
                _temp_dir=folder,
            )
            yield
        finally:
            ray.shutdown()


@contextlib.contextmanager
def _other_cluster(address: str) -> Iterator[None]:
    try:
        _check_reachable(address)
        _init({}, address=address)
    except (OSError, ValueError, RuntimeError) as error:
        first = str(error).strip().partition("\n")[0]
        raise Refused(f"no cluster answers at {address}: {first}", "address") from None
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Check that something listens at HOST:PORT; Ray itself tries for minutes."""
    host, colon, port = address.rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT).close()


def _init(variables: dict[str, str], **options: Any) -> None:
    """Connect this process; nodes get this very engine, by the digest of its files.

    Args:
        variables: Environment variables of the workers on nodes.
        options: Of `ray.init`.
    """
    before = signal.getsignal(signal.SIGTERM)
    ray.init(
        log_to_driver=False,
        logging_level=logging.ERROR,
        namespace=secrets.token_hex(8),
        runtime_env={
            "py_modules": [str(ROOT / "engine")],
            "excludes": ["**/__pycache__"],
            "env_vars": {**ALLOCATOR, **ONE_THREAD, **variables},
        },
        **options,
    )
    # Ray's own handler would exit at once, without a checkpoint.
    signal.signal(signal.SIGTERM, before)
