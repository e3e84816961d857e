"""`RemoteWorkers`: what computes a store's runs on other machines."""

from contextlib import AbstractContextManager
from typing import Protocol

from engine.executors.queued_runs import Workers
from engine.executors.stop_signal import StopSignal
from engine.executors.worker_functions import Toolkit


class RemoteWorkers(Workers, Protocol):
    """Workers of another place, for the runs of one store.

    Args:
        slots: How many batches they compute at the same time.
    """

    slots: int

    def toolkit(self, stop_signal: StopSignal) -> Toolkit:
        """Return what this process calls to execute a run there."""

    def helpers(self, count: int) -> AbstractContextManager[object]:
        """Let that many of them take queued runs and shards for a while."""
