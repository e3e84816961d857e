"""Longer trials: an environment is played for more episodes than in meta-training.

Source: Duan et al. (2016), arXiv:1611.02779, section 3.1, who vary the pulls of a
trial; Mishra et al. (2018), arXiv:1707.03141, section 5.2.
Helps: to see whether an agent keeps what it has learned, and whether it goes on
improving, beyond the length that it was trained for. A sum of rewards grows with the
trial, so compare agents at the same length.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.shifts._longer import LongerHorizon


@register("shift")
class LongerTrials(LongerHorizon):
    """T ← round(T 2^s) episodes, at test time only."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    limit: ClassVar[int] = 2_000

    def explain_limit(self, horizon: int, severity: float, longer: int) -> str:
        """Return the refusal of a horizon that is longer than the limit."""
        return (
            f"trials of {horizon:,} episodes doubled {severity:g} times "
            f"have {longer:,}; at most {self.limit:,} are allowed"
        )
