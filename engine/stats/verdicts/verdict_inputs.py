"""Evidence of a verdict: the run's numbers, claims and display names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.contract.events import Condition
from engine.contract.kinds import Criterion
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable
from engine.stats.inference.intervals import Interval
from engine.stats.learner_claims import CANT_TELL, Claim


class Shape(NamedTuple):
    """The size of a test: replicates, and tasks per replicate."""

    replicates: int
    tasks: int


@dataclass(frozen=True)
class Evidence:
    """The numbers, claims and names that a verdict is based on.

    Args:
        table: The run's blocks.
        spec: The run.
        claims: All claims of the run.
        threshold: Nats, or the regret that a goal was moved to; None for neither.
        titles: Titles of parts, by name; spelled from the name otherwise.
        names: Display names of learners, by label.
    """

    table: BlockTable
    spec: RunSpec
    claims: Sequence[Claim]
    threshold: float | None
    titles: Mapping[str, str]
    names: Mapping[str, str]

    @property
    def criterion(self) -> Criterion:
        """Return the criterion that the learners are compared by."""
        return self.table.criterion

    @property
    def family(self) -> str:
        """Return the spelled name of the family that was trained on."""
        return name_in_words(self.spec.family.name)

    def deciding_values(
        self, label: str, condition: Condition = IN_DISTRIBUTION
    ) -> Floats | None:
        """Return a learner's deciding numbers; shape (replicate, task)."""
        return self.table.test_values(label, self.criterion.deciding, condition)

    def tested_labels(self, learners: Sequence[LearnerChoice]) -> list[str]:
        """Return the labels of those that were tested in distribution."""
        return [c.label for c in learners if self.deciding_values(c.label) is not None]

    def shape(self) -> Shape:
        """Return the size of the test of the first learner that has one."""
        found = (self.deciding_values(c.label) for c in self.spec.learners)
        rows = next((row for row in found if row is not None), None)
        return Shape(0, 0) if rows is None else Shape(rows.shape[0], rows.shape[1])

    def claims_of(self, label: str) -> list[Claim]:
        """Return the claims about a learner."""
        return [claim for claim in self.claims if claim.learner == label]

    def dissenting_claims(self, here: Claim) -> list[Claim]:
        """Return the claims by the secondary metric that come to another call."""
        return [
            claim
            for claim in self.claims_of(here.learner)
            if claim.condition == here.condition and claim.decisive
            if claim.metric == self.criterion.beside
            if claim.call not in (here.call, CANT_TELL)
        ]

    def divergence_counts(self, first: str, second: str) -> tuple[int, int]:
        """Return how many tests of two learners diverged."""
        rows = (self.table.test_values(label, "diverged") for label in (first, second))
        mine, other = (0 if row is None else int(row.sum()) for row in rows)
        return mine, other


def better_first(claim: Claim) -> tuple[str, str]:
    """Return the two labels of a claim, the better one first."""
    if claim.call == "worse":
        return claim.against, claim.learner
    return claim.learner, claim.against


def signed_gap(claim: Claim) -> Interval:
    """Return a claim's difference with its interval; positive favors the better."""
    sign = -1.0 if claim.difference < 0 else 1.0
    low, high = sorted((sign * claim.low, sign * claim.high))
    # Two stands for "several": the interval of a single replicate is not shown.
    return Interval(abs(claim.difference), low, high, 2)
