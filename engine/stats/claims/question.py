"""Questions: which of two learners is better, at one condition and by one metric.

Divergence speaks first. Where enough tasks were lost to tell, two tests share the
level: one of the lost tasks, and one of the metric. If the first finds a difference, it
decides. Otherwise the interval does; but learners that lose tasks are never "equal",
unless they lose the same ones.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.contract.events import Condition
from engine.stats.claims.calls import (
    BETTER,
    CANT_TELL,
    WORSE,
    Call,
    call_from_interval,
)
from engine.stats.claims.lost_tasks import LostTasks
from engine.stats.inference.comparison import Comparison
from engine.stats.inference.forecast import replicates_needed

SampleUnit = Literal["replicates", "episodes", "searches"]


class Answer(NamedTuple):
    """The answer to a question at some level.

    Args:
        call: Which learner is better.
        low: Lower end of the interval that was tested, in the metric's unit.
        high: Its upper end.
        level: Confidence of this interval, such as 0.95.
        by_divergence: Whether the lost tasks decided, and not the interval.
        more_replicates: About how many more would decide it; None if decided, unknown
            or hopeless.
    """

    call: Call
    low: float
    high: float
    level: float
    by_divergence: bool
    more_replicates: int | None


@dataclass(frozen=True)
class Question:
    """Two learners, where and by what they are compared, and what was found.

    Args:
        learner: Label of the learner that the question is about.
        against: Label of the other one.
        condition: Where both were tested.
        metric: What is compared; less is better.
        found: The paired comparison.
        margin: Largest difference that does not matter, in the metric's unit.
        lost: The tasks that both lost there.
        over: The independent units.
        decisive: Whether the other one is the learner's main rival.
        unreached: Whether neither reached the goal on any task: then nothing is known
            of the time that it takes, and they are not "equal" in it.
    """

    learner: str
    against: str
    condition: Condition
    metric: str
    found: Comparison
    margin: float
    lost: LostTasks
    over: SampleUnit
    decisive: bool
    unreached: bool = False

    def answer(self, alpha: float) -> Answer:
        """Return the answer at a level.

        Args:
            alpha: Chance of a false call, such as 0.05.
        """
        share, margin = self._share(alpha), self._margin()
        low, high = self.found.interval(share)
        by_divergence = self._tests_lost(alpha) and self.lost.p <= share
        call = call_from_interval(low, high, margin)
        if by_divergence:
            call = WORSE if self.lost.mine > self.lost.other else BETTER
        more = replicates_needed(self.found, margin, share)
        return Answer(
            call,
            low,
            high,
            1 - share,
            by_divergence,
            more if call == CANT_TELL else None,
        )

    def smallest_alpha(self) -> float:
        """Return the smallest alpha with a call; NaN if no test was possible."""
        p = min(self.found.p(), self.found.p_equal(self._margin()))
        least = 2 * self.lost.least_p
        # NaN, without a test, compares as False.
        return max(least, 2 * min(p, self.lost.p)) if p >= least else p

    def _share(self, alpha: float) -> float:
        return alpha / 2 if self._tests_lost(alpha) else alpha  # Bonferroni

    def _tests_lost(self, alpha: float) -> bool:
        """Return whether enough tasks were lost for a second test at half the level."""
        return 2 * self.lost.least_p <= alpha

    def _margin(self) -> float:
        return self.margin if self.lost.alike and not self.unreached else 0.0
