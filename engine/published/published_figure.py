"""One published figure, and how far it can be trusted."""

from typing import Literal, NamedTuple

Provenance = Literal[
    "from the paper or its code",
    "second-hand: from another paper or a replication",
    "from memory of the literature: verify",
]
READ: Provenance = "from the paper or its code"
HEARD: Provenance = "second-hand: from another paper or a replication"
MEMORY: Provenance = "from memory of the literature: verify"

ValueWithInterval = tuple[float, float | None]


class PublishedFigure(NamedTuple):
    """One published figure.

    Args:
        task: Name of the family here.
        ways: Classes of an episode; 0 where answers are values, and of searches.
        shots: Labelled examples, of each class or in all; 0 of searches.
        method: What the source calls it.
        learner: The part here that is the same method; empty where there is none.
        value: Accuracy in %, or mean squared error.
        half: What follows its ±, as the protocol explains; None where nothing does.
        protocol: How it was measured.
        source: Where it is from.
        provenance: How it came to us.
        target: Data set that is searched on; empty of episodes.
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

    @property
    def unit(self) -> str:
        """Return the unit of the value."""
        return "%" if self.ways or self.target else "MSE"

    @property
    def setting(self) -> str:
        """Return which tasks of the family it is of, such as "5-way 1-shot"."""
        sizes = f"{self.ways}-way {self.shots}-shot" if self.ways else ""
        return self.target or sizes or f"{self.shots}-shot"


class MethodFigures(NamedTuple):
    """One method: its figure in each column, and the provenance of these."""

    method: str
    learner: str
    figures: tuple[ValueWithInterval | None, ...]
    source: str
    provenance: Provenance


def without_intervals(*values: float | None) -> tuple[ValueWithInterval | None, ...]:
    """Return figures without intervals; None where there is none."""
    return tuple(None if value is None else (value, None) for value in values)
