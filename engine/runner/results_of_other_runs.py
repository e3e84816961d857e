"""The interface to results of other runs: tuned rates and frozen meta-learners."""

from collections.abc import Sequence
from typing import Protocol

from engine.contract.events import Artefact, Event
from engine.contract.run_spec import RunSpec


class RunCache(Protocol):
    """Finished runs by key, as a store or a local run provides them."""

    def get(self, key: str) -> Sequence[Event] | None:
        """Return the events of a finished run; None if there is none."""

    def put(self, key: str, spec: RunSpec, events: Sequence[Event]) -> None:
        """Store the events of a finished run."""

    def frozen_artefact(self, run: str, artefact: str) -> Artefact:
        """Return a frozen meta-learner of another run.

        Args:
            run: That run's key.
            artefact: Name of the artefact, the learner's label.

        Raises:
            Refused: If there is no such run or artefact; run its spec first.
        """
