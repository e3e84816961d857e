"""A worker as its supervisor holds it: a process of its own, on a pipe.

It is started by exec, ends when the pipe is closed, and is killed only by who
started it.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from engine.executors.supervisor_process import ROOT, STORE
from engine.store import Store

LEASHED = "METASCOPE_LEASHED"  # tells a worker that its input is a supervisor's pipe
FAREWELL = 6.0  # seconds that a worker has to keep its checkpoint and go
WORKER = (sys.executable, "-m", "engine", "work")
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
)


@dataclass
class WorkerProcess:
    """A worker that this process started, and when; `killed` if it had to be."""

    process: subprocess.Popen[bytes]
    started: float
    killed: bool = False

    @classmethod
    def start(cls, command: Sequence[str], store: Store) -> Self:
        """Start a worker for this very store.

        Args:
            command: What starts it.
            store: Where it looks for work; if it is replaced, the worker ends.
        """
        home = str(store.home.absolute())
        own = {LEASHED: "1", "METASCOPE_HOME": home, STORE: store.identity or ""}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **ALLOCATOR, **ONE_THREAD, **own},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
        return cls(process, time.monotonic())

    @property
    def pid(self) -> int:
        """Return its number."""
        return self.process.pid

    def notify(self) -> None:
        """Tell it that there may be work; what it does not hear is no loss."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, BlockingIOError):
                os.write(self.process.stdin.fileno(), b".")

    def kill(self) -> None:
        """Kill it: it did not answer."""
        self.killed = True
        self.process.kill()

    def request_stop(self) -> None:
        """Ask it to keep its checkpoint and end."""
        if self.process.stdin is not None:
            self.process.stdin.close()
            self.process.stdin = None


def stop_all(workers: Iterable[WorkerProcess]) -> None:
    """Let every worker keep its checkpoint and go, then kill what is left."""
    asked = list(workers)
    for worker in asked:
        worker.request_stop()
    deadline = time.monotonic() + FAREWELL
    for worker in asked:
        try:
            worker.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
