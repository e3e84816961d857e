"""A supervisor whose workers are on other machines: it starts no process here.

It holds the store's lock like the supervisor that the app starts, so the app finds it
alive and leaves the queue to it.
"""

import contextlib
import json
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType

from engine.executors.demo import queue_rules
from engine.executors.remote_workers import RemoteWorkers
from engine.executors.supervisor import lock_store
from engine.executors.supervisor_control import STORE
from engine.executors.upkeep import Upkeep
from engine.store import Store, StoreBusy, StoreFull, files, leases

Connect = Callable[[Store], AbstractContextManager[RemoteWorkers]]


class RemoteSupervisor:
    """Lets remote workers compute a store's queue until asked to stop.

    Args:
        store: Where runs are queued and recorded.
    """

    def __init__(self, store: Store) -> None:
        self.store, self.stopping = store, False
        self._upkeep = Upkeep(store)

    def run(self, connect: Connect) -> None:
        """Supervise the store; runs that are not finished go back to its queue.

        Args:
            connect: Connects to the workers for a while.

        Raises:
            StoreGone: If the store is no longer at its path.
            Refused: If there are no such workers.
        """
        signal.signal(signal.SIGTERM, self.request_stop)
        signal.signal(signal.SIGINT, self.request_stop)
        self.store.check(deep=False)
        self.store.tidy()
        with connect(self.store) as workers:
            self.store.set_rules(queue_rules(workers.slots))
            self._write_status(workers.slots)
            workers.run_until(self.store, self._is_over)

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Stop soon; also a signal handler."""
        self.stopping = True

    def _is_over(self) -> bool:
        self.store.check_in_place()
        with contextlib.suppress(StoreBusy, StoreFull):
            self._upkeep.run_if_due()
        return self.stopping

    def _write_status(self, slots: int) -> None:
        """Write which process this is, as `supervise --stop` and the app read it."""
        note = leases.this_process()._asdict() | {"workers": slots, "deaths": {}}
        path = self.store.home / "supervisor.json"
        files.write_atomically(path, json.dumps(note).encode())


def supervise_remotely(home: Path | None, connect: Connect) -> int:
    """Supervise a store with workers on other machines until asked to stop.

    Args:
        home: The store's folder.
        connect: Connects to the workers for a while.

    Returns:
        The exit code.

    Raises:
        SupervisorError: If another supervisor already serves this store.
        StoreGone: If that store does not exist, or no longer.
        Refused: If there are no such workers.
    """
    store = Store.open(home, os.environ.get(STORE))
    with lock_store(store), contextlib.ExitStack() as stack:
        for each in (signal.SIGTERM, signal.SIGINT):
            stack.callback(signal.signal, each, signal.getsignal(each))
        RemoteSupervisor(store).run(connect)
    return 0
