"""What the processes of a demo and its store take, sampled, and how fast it grows."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from engine.contract.jobs import JobState
from engine.executors.supervisor_control import supervisor_status
from engine.store import Store
from engine.store.eviction import disk_usage
from tests.benchmarks.visitors import MIB


class Samples:
    """What the processes and the store take, every so many seconds.

    Args:
        server: The web server.
        home: The store.
        scratch: The folder for temporary files of all its processes.
        every: Seconds between two samples.
    """

    def __init__(
        self, server: psutil.Process, home: Path, scratch: Path, every: float
    ) -> None:
        self.server, self.home, self.scratch, self.every = server, home, scratch, every
        self.rows: list[dict[str, float]] = []
        self._began, self._has_ended = time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Samples":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._has_ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._has_ended.wait(self.every):
            # A worker that ends while it is looked at; the next sample is as good.
            with contextlib.suppress(psutil.Error):
                self.rows.append(self.take())
                say(self.rows[-1])

    def take(self) -> dict[str, float]:
        """Return one sample, in MiB and numbers."""
        awake = supervisor_status(self.home)
        engine = [psutil.Process(awake.pid)] if awake.pid else []
        workers = [child for one in engine for child in one.children(recursive=True)]
        store = Store.open(self.home)
        return {
            "seconds": round(time.monotonic() - self._began, 1),
            "web_MiB": _memory([self.server]),
            "supervisor_MiB": _memory(engine),
            "MiB_per_worker": round(_memory(workers) / max(1, len(workers)), 1),
            "workers": len(workers),
            "web_descriptors": self.server.num_fds(),
            "engine_descriptors": sum(one.num_fds() for one in (*engine, *workers)),
            "web_threads": self.server.num_threads(),
            "store_files": len(files_below(self.home)),
            "store_MiB": round(disk_usage(self.home) / MIB, 2),
            "temporary_files": len(files_below(self.scratch)),
            "runs_done": store.count([JobState.DONE]),
            "load": os.getloadavg()[0],
        }


def _memory(processes: list[psutil.Process]) -> float:
    return round(sum(one.memory_info().rss for one in processes) / MIB, 1)


def files_below(folder: Path) -> set[str]:
    """Return the paths of all files below a folder, relative to it."""
    return {
        os.path.relpath(os.path.join(parent, name), folder)
        for parent, _, names in os.walk(folder)
        for name in names
    }


def slopes(rows: list[dict[str, float]]) -> Iterator[dict[str, Any]]:
    """Yield the growth of each figure per hour, over the last two thirds of rows."""
    late = rows[len(rows) // 3 :]
    hours = np.array([row["seconds"] / 3600 for row in late])
    for name in late[0]:
        if name == "seconds" or len(late) < 2:
            continue
        slope, start = np.polyfit(
            hours - hours[0], np.array([row[name] for row in late]), 1
        )
        yield {
            "figure": name,
            "per_hour": round(float(slope), 3),
            "percent_per_hour": round(float(100 * slope / start), 2) if start else None,
            "first": late[0][name],
            "last": late[-1][name],
            "most": max(row[name] for row in rows),
        }


def say(row: dict[str, Any]) -> None:
    """Print a line of JSON."""
    print(json.dumps(row), flush=True)  # noqa: T201
