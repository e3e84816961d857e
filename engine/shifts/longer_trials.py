"""Longer trials: an environment is played for more episodes than in meta-training.

Source: Duan et al. (2016), arXiv:1611.02779, section 3.1, who vary the pulls of a
trial; Mishra et al. (2018), arXiv:1707.03141, section 5.2.
Helps: to see whether an agent keeps what it has learned, and whether it goes on
improving, beyond the length that it was trained for. A sum of rewards grows with the
trial, so compare agents at the same length.
"""

from dataclasses import replace
from typing import ClassVar

from engine.contract.errors import Refused
from engine.contract.registry import register
from engine.protocol import Setting, Shift

LIMIT = 2_000


@register("shift")
class LongerTrials(Shift):
    """T ← round(T 2^s) episodes, at test time only."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "doublings"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0)
    top: ClassVar[float] = 6.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Play every task for longer.

        Raises:
            Refused: If that is more episodes than a trial may have.
        """
        longer = round(setting.horizon * 2.0**severity)
        # Doublings add up fast: refuse before hours of work are queued.
        if longer > LIMIT:
            raise Refused(
                f"trials of {setting.horizon:,} episodes doubled {severity:g} times "
                f"have {longer:,}; at most {LIMIT:,} are allowed",
                "severities",
            )
        return replace(setting, horizon=longer)
