"""The worker processes of a supervisor: started when work waits, ended when idle.

One worker is always kept, so that a run starts at once; the others take seconds to
start and hundreds of megabytes, so they are there only while there is work for them.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict

from engine.contract.jobs import JobState
from engine.executors.restart_delay import LONGEST_PAUSE, RestartDelay, describe_exit
from engine.executors.worker_handle import WorkerProcess, stop_all
from engine.store import Store
from engine.store.run_rows import SHARD

IDLE_TIMEOUT = 60.0  # seconds without work until only one worker is kept
_log = logging.getLogger(__name__)


class WorkerPool:
    """Workers of one store.

    Args:
        store: Where they look for work.
        command: Starts one worker.
        most: How many compute at the same time, at most.
    """

    def __init__(self, store: Store, command: Sequence[str], most: int) -> None:
        self.store, self.command, self.most = store, list(command), most
        self.children: dict[int, WorkerProcess] = {}
        self.exits: dict[int, str] = {}  # how workers ended, until they are counted
        self._deaths = RestartDelay()
        self._unasked: set[int] = set()  # those of them that were not killed by us
        self._busy = time.monotonic()  # when more than one worker last had work

    def status(self) -> dict[str, object]:
        """Return how many workers there are, and how many died, as JSON."""
        return {"workers": len(self.children), "deaths": asdict(self._deaths)}

    def start_needed(self) -> bool:
        """Start a worker if work waits that no worker is free for.

        Returns:
            Whether one was started.
        """
        # A death that no sweep has judged yet may still lengthen the pause.
        if self._deaths.is_pausing or self.exits or self._has_enough():
            return False
        try:
            worker = WorkerProcess.start(self.command, self.store)
        except OSError as error:  # no memory or process left: there may be later
            how = f"could not be started: {(error.strerror or str(error)).lower()}"
            _log.warning("a worker %s", how)
            self._deaths.add(how)
            return False
        self.children[worker.pid] = worker
        return True

    def _has_enough(self) -> bool:
        if not self.children or len(self.children) >= self.most:
            return bool(self.children)
        useful = self.store.count([JobState.RUNNING], kind=None) + self._count_waiting()
        return len(self.children) >= useful

    def end_idle(self) -> None:
        """Keep one worker once there was no work for the others for a while."""
        now, running = time.monotonic(), self._holders()
        waiting = self._count_waiting()
        if waiting + len(running) > 1 or len(self.children) < 2:
            self._busy = now
        elif now - self._busy > IDLE_TIMEOUT:
            idle = [c for pid, c in self.children.items() if str(pid) not in running]
            for child in idle[: len(self.children) - 1]:
                child.request_stop()

    def _count_waiting(self) -> int:
        """Count the runs and shards that a worker could take."""
        shards = self.store.count([JobState.QUEUED], kind=SHARD)
        return self.store.count_eligible() + shards

    def _holders(self) -> set[str]:
        """Return the processes that compute a run of the store."""
        return {job.worker for job in self.store.jobs([JobState.RUNNING], kind=None)}

    def reap(self) -> bool:
        """Remove workers that ended, noting how; return whether any did."""
        ended = [
            pid for pid, c in self.children.items() if c.process.poll() is not None
        ]
        for pid in ended:
            child = self.children.pop(pid)
            asked = child.killed or child.process.stdin is None
            child.request_stop()
            self.exits[pid] = describe_exit(child.process.returncode)
            if not asked:
                _log.warning("worker %s %s", pid, self.exits[pid])
                self._unasked.add(pid)
        return bool(ended)

    def kill(self, pid: int) -> None:
        """Kill a worker that does not respond; ignore a process that is none."""
        if (child := self.children.get(pid)) is not None:
            child.kill()

    def count_deaths(self, holders: set[int]) -> None:
        """Count the workers that died before they took a run.

        Args:
            holders: Processes that held a run: the run is to blame, not the start.
        """
        if self._deaths.count and self._has_live_worker():
            self._deaths.clear()
        for pid, how in self.exits.items():
            if pid in holders:
                self._deaths.clear()
            elif pid in self._unasked:
                self._deaths.add(how)
        self.exits.clear()
        self._unasked.clear()

    def _has_live_worker(self) -> bool:
        """Return whether a worker has taken a run, or waited long enough for one."""
        now = time.monotonic()
        if any(now - c.started > LONGEST_PAUSE for c in self.children.values()):
            return True
        return not self._holders().isdisjoint(map(str, self.children))

    def notify(self) -> None:
        """Tell all workers that there may be work."""
        for child in self.children.values():
            child.notify()

    def stop(self) -> None:
        """Ask every worker to save its checkpoint and exit, then kill the others."""
        stop_all(self.children.values())
