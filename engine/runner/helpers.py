"""Helpers: whoever computes a run's later batches ahead of their turn.

A run is the same with any helpers and without: they save time, and nothing else. A
batch that no helper finishes is computed by the run itself.
"""

from collections.abc import Generator, Sequence
from typing import NamedTuple, Protocol

from engine.contract.events import Checkpoint, Event
from engine.contract.run_spec import RunSpec


class Handover(NamedTuple):
    """What a helper leaves of a batch.

    Args:
        complete: Whether it yielded the whole batch.
        checkpoint: Else, where the run may go on from, the events before it having been
            yielded; None for the beginning.
    """

    complete: bool
    checkpoint: Checkpoint | None = None


class Helpers(Protocol):
    """Other workers, as a run sees them."""

    def offer(self, batches: Sequence[RunSpec]) -> None:
        """Let helpers compute these batches; those offered before are ignored."""

    def follow(self, batch: RunSpec) -> Generator[Event, None, Handover]:
        """Yield a batch's events once a helper has computed it, and notes until then.

        A batch that no helper has begun is taken back at once.
        """

    def replicates_ahead(self, batches: Sequence[RunSpec]) -> float:
        """Return how many replicates of these batches are computed; parts count."""


class NoHelpers:
    """A run on its own."""

    def offer(self, batches: Sequence[RunSpec]) -> None:
        """Ignore what is offered."""

    def follow(self, batch: RunSpec) -> Generator[Event, None, Handover]:
        """Leave the batch to the run."""
        yield from ()
        return Handover(False)

    def replicates_ahead(self, batches: Sequence[RunSpec]) -> float:
        """Return 0."""
        return 0.0
