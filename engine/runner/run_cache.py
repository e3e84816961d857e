"""Where a run finds what other runs made: tuned rates, frozen meta-learners."""

from collections.abc import Sequence
from typing import Protocol

from engine.contract.events import Artefact, Event
from engine.contract.runs import RunSpec


class RunCache(Protocol):
    """Finished runs by key; the store has one, and so has a headless run."""

    def get(self, key: str) -> Sequence[Event] | None:
        """Return the events of a finished run, or none."""

    def put(self, key: str, spec: RunSpec, events: Sequence[Event]) -> None:
        """File the events of a finished run."""

    def frozen_artefact(self, run: str, artefact: str) -> Artefact:
        """Return an artefact of another run.

        Raises:
            Refused: If that run is not here; its spec can be run first.
        """
