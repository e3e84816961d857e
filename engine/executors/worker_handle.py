"""Worker processes, as their supervisor starts, notifies and stops them.

A worker is started by exec, exits when its pipe is closed, and is killed only by the
process that started it.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from engine.executors.allocator import ALLOCATOR
from engine.executors.demo import worker_settings
from engine.executors.supervisor_control import ROOT, STORE
from engine.store import Store

# Tells a worker that its standard input is a supervisor's pipe.
SUPERVISED = "METASCOPE_SUPERVISED"
SHUTDOWN_TIMEOUT = 6.0  # seconds that a worker has to save its checkpoint and exit
WORKER = (sys.executable, "-m", "engine", "work")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
)


@dataclass
class WorkerProcess:
    """A worker that this process started.

    Args:
        process: Its process.
        started: When; monotonic seconds.
        killed: Whether this process killed it.
    """

    process: subprocess.Popen[bytes]
    started: float
    killed: bool = False

    @classmethod
    def start(cls, command: Sequence[str], store: Store) -> Self:
        """Start a worker for this very store.

        Args:
            command: Starts it.
            store: Where it looks for work; if it is replaced, the worker exits.
        """
        home = str(store.home.absolute())
        own = {SUPERVISED: "1", "METASCOPE_HOME": home, STORE: store.identity or ""}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **ALLOCATOR, **ONE_THREAD, **worker_settings(), **own},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        if process.stdin is not None:
            # A hanging worker does not read; a full pipe must not block the supervisor.
            os.set_blocking(process.stdin.fileno(), False)
        return cls(process, time.monotonic())

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self.process.pid

    def notify(self) -> None:
        """Tell it that there may be work; a full or closed pipe is ignored."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, BlockingIOError):
                os.write(self.process.stdin.fileno(), b".")

    def kill(self) -> None:
        """Kill a worker that does not respond."""
        self.killed = True
        self.process.kill()

    def request_stop(self) -> None:
        """Ask it to save its checkpoint and exit."""
        if self.process.stdin is not None:
            self.process.stdin.close()
            self.process.stdin = None


def stop_all(workers: Iterable[WorkerProcess]) -> None:
    """Ask every worker to save its checkpoint and exit, then kill the others."""
    asked = list(workers)
    for worker in asked:  # all before the first wait: they exit at the same time
        worker.request_stop()
    deadline = time.monotonic() + SHUTDOWN_TIMEOUT
    for worker in asked:
        try:
            worker.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
