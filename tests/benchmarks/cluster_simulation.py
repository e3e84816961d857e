"""How many workers one store and one driver serve, by simulation with measured costs.

`python -m tests.benchmarks.cluster_simulation --seconds 30`. The costs of a claim, a
write and an end are measured on a store in the folder given by --folder; shards of that
many seconds are then played by 10 to 10,000 workers of a simulated cluster. The store
has one writer at a time, the driver one processor; nodes compute on while they wait,
up to the messages that may be ahead.
"""

import argparse
import heapq
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from engine.contract.events import Note
from engine.executors.node import SEND_INTERVAL
from engine.store import Store
from engine.store.recorder import LONGEST_TICK, TICK, WAITS_PER_WRITE
from tests.store import fake

WORKERS = (10, 30, 100, 300, 1_000, 3_000, 10_000)
SHARDS = 2  # per worker; the first alone would show all claims at once
MESSAGE = 0.00033  # CPU seconds of the driver per message of a node, measured with Ray


class Costs(NamedTuple):
    """What one operation takes.

    Args:
        claim: Of the store's writer, seconds.
        write: Of the store's writer, seconds.
        end: Of the store's writer, seconds.
        driver: CPU of the driver per write, claim or end, seconds.
    """

    claim: float
    write: float
    end: float
    driver: float


Wait = Callable[[float], float]


def wait_fixed(took: float) -> float:
    """Return the time between two writes as it was before: always the same."""
    return TICK


def wait_by_duration(took: float) -> float:
    """Return the time between two writes, as `Recorder.is_due` has it.

    Args:
        took: Seconds that the last write took, with its wait for the store.
    """
    return min(max(TICK, WAITS_PER_WRITE * took), LONGEST_TICK)


def measure_costs(folder: Path, runs: int = 60) -> Costs:
    """Measure a store in a folder, with that many runs waiting."""
    store = Store.open(folder / "home")
    for seed in range(runs):
        fake.submit(store, seed)
    claims, claimed = _timed(store.claim, runs // 2)
    recorders = [store.recorder(claim) for claim in claims if claim is not None]
    begun, written = time.process_time(), []
    for step, recorder in enumerate(recorders):
        for event in fake.learned(step, np.zeros((2, 3)), 1):
            recorder.add(event)
        recorder.add(Note("train", 0.5))
        written += _timed(recorder.flush, 1)[1]
    driver = (time.process_time() - begun) / len(recorders)
    ended = [
        seconds
        for recorder in recorders
        for seconds in _timed(lambda r=recorder: r.finish("done", {}), 1)[1]
    ]
    found = (statistics.median(each) for each in (claimed, written, ended))
    return Costs(*found, driver)


def _timed(call: Callable[[], Any], times: int) -> tuple[list[Any], list[float]]:
    results, seconds = [], []
    for _ in range(times):
        begun = time.perf_counter()
        results.append(call())
        seconds.append(time.perf_counter() - begun)
    return results, seconds


class Load(NamedTuple):
    """How a simulated cluster fared.

    Args:
        workers: How many there were.
        efficiency: Share of the workers' time in which they computed.
        store: Share of the time in which the store wrote.
        driver: Share of the time in which the driver computed.
    """

    workers: int
    efficiency: float
    store: float
    driver: float

    @property
    def wall(self) -> str:
        """Return what is saturated, or nothing."""
        busy = max(("store", self.store), ("driver", self.driver), key=lambda b: b[1])
        return busy[0] if busy[1] > 0.95 else ""


class Request(NamedTuple):
    """What a worker asks for next.

    Args:
        at: When.
        worker: Which one.
        left: Seconds that its shard still computes; None if it claims one.
        step: Seconds that it has computed since its last request.
        shards: How many it has still to play, this one included.
    """

    at: float
    worker: int
    left: float | None
    step: float
    shards: int


class Server:
    """Serves one request after the other, in the order of their arrival."""

    def __init__(self) -> None:
        self.free = self.busy = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """Return when a request that arrives now is served."""
        self.free = max(self.free, now) + seconds
        self.busy += seconds
        return self.free


def simulate(workers: int, seconds: float, costs: Costs, wait: Wait) -> Load:
    """Play shards on a cluster, each worker some after the other.

    Args:
        workers: How many.
        seconds: That a shard computes.
        costs: Of the store and the driver.
        wait: Gives the time between two writes from the duration of the last one.
    """
    store, driver = Server(), Server()
    waiting = [Request(0.0, worker, None, 0.0, SHARDS) for worker in range(workers)]
    last = 0.0
    while waiting:
        now, worker, left, step, shards = heapq.heappop(waiting)
        ready = driver.serve(now, costs.driver + step / SEND_INTERVAL * MESSAGE)
        if left is None:
            done = store.serve(ready, costs.claim)
            step = min(TICK, seconds)
            request = Request(done + step, worker, seconds - step, step, shards)
        elif left > 0:
            done = store.serve(ready, costs.write)
            # The node computes on meanwhile, so the write delays nothing on it.
            step = min(max(wait(done - now), done - now), left)
            request = Request(max(now + step, done), worker, left - step, step, shards)
        else:
            done = last = store.serve(ready, costs.end)
            if shards == 1:
                continue
            request = Request(done, worker, None, 0.0, shards - 1)
        heapq.heappush(waiting, request)
    return Load(workers, SHARDS * seconds / last, store.busy / last, driver.busy / last)


def make_table(title: str, loads: list[Load]) -> Table:
    """Return a table of how simulated clusters fared."""
    table = Table("workers", "computing", "store", "driver", "saturated", title=title)
    for each in loads:
        shares = (f"{x:.0%}" for x in (each.efficiency, each.store, each.driver))
        table.add_row(f"{each.workers:,}", *shares, each.wall)
    return table


def main() -> None:
    """Print the measured costs, and how clusters fare with both rules of writing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of a shard")
    parser.add_argument("--folder", type=Path, help="on the disk of the store")
    given = parser.parse_args()
    out = Console(width=100)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        costs = measure_costs(Path(folder))
    told = ", ".join(f"{k} {v * 1e3:.1f} ms" for k, v in costs._asdict().items())
    out.print(f"{told}; shards of {given.seconds:g} s")
    for title, wait in (
        ("a write every 0.4 s", wait_fixed),
        ("a write after 20 times its duration", wait_by_duration),
    ):
        loads = [simulate(n, given.seconds, costs, wait) for n in WORKERS]
        out.print(make_table(title, loads))


if __name__ == "__main__":
    main()
