"""Longer horizon: the base learner takes more steps than in meta-training.

Source: Andrychowicz et al. (2016), arXiv:1606.04474, section 3, who run their optimizer
past its training horizon; Metz et al. (2022), arXiv:2211.09760, on where that fails.
Helps: to see whether a learned optimizer breaks down past its training horizon.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.shifts._longer import LongerHorizon


@register("shift")
class Horizon(LongerHorizon):
    """T ← round(T 2^s)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    limit: ClassVar[int] = 20_000

    def explain_limit(self, horizon: int, severity: float, longer: int) -> str:
        """Return the refusal of a horizon that is longer than the limit."""
        return (
            f"a horizon of {horizon:,} steps doubled {severity:g} times is "
            f"{longer:,} steps; at most {self.limit:,} are allowed"
        )
