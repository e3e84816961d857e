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
from engine.stats.learner_claims import Claim


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

    @property
    def tests(self) -> str:
        """Return what the tests of this kind of task are called, in the plural."""
        return self.table.kind.words.tests

    @property
    def primary(self) -> Claim | None:
        """Return the answer to the primary question; None if there is no rival."""
        return next((claim for claim in self.claims if claim.primary), None)

    def deciding_claims(self, label: str) -> list[Claim]:
        """Return the claims about a learner on the metric that decides."""
        deciding = self.criterion.deciding
        return [c for c in self.claims if (c.learner, c.metric) == (label, deciding)]

    def beside(self, here: Claim) -> list[Claim]:
        """Return the claims about the same pair and condition in other metrics."""
        same = (here.learner, here.against, here.condition)
        return [
            claim
            for claim in self.claims
            if (claim.learner, claim.against, claim.condition) == same
            if claim.metric != here.metric
        ]

    def count_lost(self, label: str) -> tuple[int, int]:
        """Return how many tests of a learner diverged in distribution, and of all."""
        lost = self.table.test_values(label, "diverged")
        return (0, 0) if lost is None else (int(lost.sum()), lost.size)

    def none_reached(self, labels: Sequence[str]) -> bool:
        """Return whether no test of these learners reached the threshold."""
        rows = [self.table.test_values(label, "reached") for label in labels]
        return all(row is not None and not row.any() for row in rows)
