"""Base class of shifts to longer tasks: the horizon is doubled, again and again."""

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar

from engine.contract.errors import Refused
from engine.protocol import Setting, Shift


class LongerHorizon(Shift):
    """Base class: a subclass says what is too long.

    Attributes:
        limit: The longest horizon that is allowed.
    """

    unit: ClassVar[str] = "doublings"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0)
    top: ClassVar[float] = 6.0
    limit: ClassVar[int]

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return None

    @abstractmethod
    def explain_limit(self, horizon: int, severity: float, longer: int) -> str:
        """Return the refusal of a horizon that is longer than the limit.

        Args:
            horizon: As in meta-training.
            severity: How often it is doubled.
            longer: What it becomes.
        """

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Make every task longer.

        Raises:
            Refused: If it becomes longer than the limit.
        """
        longer = round(setting.horizon * 2.0**severity)
        # Doublings add up fast: refuse before hours of work are queued.
        if longer > self.limit:
            said = self.explain_limit(setting.horizon, severity, longer)
            raise Refused(said, "severities")
        return replace(setting, horizon=longer)
