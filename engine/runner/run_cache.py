"""Where a run finds what other runs made: tuned rates, frozen meta-learners."""

from collections.abc import Sequence
from typing import Protocol

from engine.contract.blocks import Artefact, Event
from engine.contract.errors import Refused
from engine.contract.runs import RunSpec


class Shelf(Protocol):
    """Finished runs by key; the store has one, and so has a headless run."""

    def get(self, key: str) -> Sequence[Event] | None:
        """Return the events of a finished run, or none."""

    def put(self, key: str, spec: RunSpec, events: Sequence[Event]) -> None:
        """File the events of a finished run."""

    def frozen(self, run: str, artefact: str) -> Artefact:
        """Return an artefact of another run.

        Raises:
            Refused: If that run is not here; its spec can be run first.
        """


class MemoryShelf:
    """A shelf for one process, for the command line and for tests."""

    def __init__(self) -> None:
        self.runs: dict[str, list[Event]] = {}

    def get(self, key: str) -> Sequence[Event] | None:
        """Return the events of a finished run, or none."""
        return self.runs.get(key)

    def put(self, key: str, spec: RunSpec, events: Sequence[Event]) -> None:
        """Keep the events of a finished run."""
        self.runs[key] = list(events)

    def frozen(self, run: str, artefact: str) -> Artefact:
        """Return an artefact of a run that was put here."""
        for event in self.runs.get(run, ()):
            if not isinstance(event, Artefact) or event.kind != "frozen":
                continue  # a learner may have the label "film"
            if event.name == artefact:
                return event
        raise Refused(
            f"run {run[:12]} with {artefact[:40]!r} is not here; run it first"
        )
