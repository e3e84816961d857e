"""Finished runs kept in memory: what tests and benchmarks run against."""

from collections.abc import Sequence

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Event
from engine.contract.run_spec import RunSpec


class InMemoryRunCache:
    """A shelf that is gone with its process."""

    def __init__(self) -> None:
        self.runs: dict[str, list[Event]] = {}

    def get(self, key: str) -> Sequence[Event] | None:
        """Return the events of a finished run, or none."""
        return self.runs.get(key)

    def put(self, key: str, spec: RunSpec, events: Sequence[Event]) -> None:
        """Keep the events of a finished run."""
        self.runs[key] = list(events)

    def frozen_artefact(self, run: str, artefact: str) -> Artefact:
        """Return an artefact of a run that was put here."""
        for event in reversed(self.runs.get(run, [])):  # the newest holds the most
            if not isinstance(event, Artefact) or event.kind != "frozen":
                continue  # a learner may have the label "film"
            if event.name == artefact:
                return event
        raise Refused(
            f"run {run[:12]} with {artefact[:40]!r} is not here; run it first"
        )
