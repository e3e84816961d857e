"""One published figure, with its protocol and provenance."""

from typing import Literal, NamedTuple

Provenance = Literal[
    "from the paper or its code",
    "second-hand: from another paper, a review or a replication",
]
READ: Provenance = "from the paper or its code"
HEARD: Provenance = "second-hand: from another paper, a review or a replication"

ValueWithInterval = tuple[float, float | None]


class PublishedFigure(NamedTuple):
    """One published figure.

    Args:
        task: Name of the family here.
        ways: Classes of an episode; 0 for regression and searches.
        shots: Labeled examples per class, or in all for regression; 0 for searches and
            where classes come one by one.
        method: Name of the method in the source.
        learner: The learner here that is the same method; empty if there is none.
        value: Accuracy in %, or mean squared error.
        half: The number after ±, explained by the protocol; None if there is none.
        protocol: How it was measured.
        source: The paper or code that it is from.
        provenance: How far it can be trusted.
        target: Data set that is searched on; empty for episodes.
        presentation: Where classes come one by one, how often the class was presented;
            0 elsewhere.
        trial: Size of the trials of agents, such as "5 arms, 10 pulls"; else empty.
    """

    task: str
    ways: int
    shots: int
    method: str
    learner: str
    value: float
    half: float | None
    protocol: str
    source: str
    provenance: Provenance
    target: str = ""
    presentation: int = 0
    trial: str = ""

    @property
    def unit(self) -> str:
        """Return the unit of the value."""
        if self.trial:
            return "reward"
        return "%" if self.ways or self.target else "MSE"

    @property
    def setting(self) -> str:
        """Return its tasks within the family, such as "5-way 1-shot"."""
        if self.trial:
            return self.trial
        if self.presentation:
            return f"{self.ways}-way, presentation {self.presentation}"
        sizes = f"{self.ways}-way {self.shots}-shot" if self.ways else ""
        return self.target or sizes or f"{self.shots}-shot"


class MethodFigures(NamedTuple):
    """One method of a table: its figure in each column, and their provenance."""

    method: str
    learner: str
    figures: tuple[ValueWithInterval | None, ...]
    source: str
    provenance: Provenance


def without_intervals(*values: float | None) -> tuple[ValueWithInterval | None, ...]:
    """Return figures without intervals.

    Args:
        *values: One per column; None for no figure.
    """
    return tuple(None if value is None else (value, None) for value in values)
