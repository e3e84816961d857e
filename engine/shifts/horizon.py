"""Longer horizon: the base learner takes more steps than in meta-training.

Source: Andrychowicz et al. (2016), arXiv:1606.04474, section 3, who run their optimizer
past its training horizon; Metz et al. (2022), arXiv:2211.09760, on where that fails.
Helps: to see whether a learned optimizer breaks down past its training horizon.
"""

from dataclasses import replace
from typing import ClassVar

from engine.contract.errors import Refused
from engine.contract.registry import register
from engine.protocol import Setting, Shift

LIMIT = 20_000


@register("shift")
class Horizon(Shift):
    """T ← round(T 2^s)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "doublings"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0)
    top: ClassVar[float] = 6.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Train every task for longer.

        Raises:
            Refused: If that is more steps than a run may have.
        """
        longer = round(setting.horizon * 2.0**severity)
        # Doublings add up fast: refuse before hours of work are queued.
        if longer > LIMIT:
            raise Refused(
                f"a horizon of {setting.horizon:,} steps doubled {severity:g} times is "
                f"{longer:,} steps; at most {LIMIT:,} are allowed",
                "severities",
            )
        return replace(setting, horizon=longer)
