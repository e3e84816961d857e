"""Evaluation noise: Gaussian noise on every accuracy that a search sees.

Source: Ying et al. (2019), arXiv:1902.09635, on the noise between trainings.
Helps: to see which strategies trust a lucky training: greedy ones do.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class EvaluationNoise(Shift):
    """signal + σ n, n ~ N(0, 1)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    unit: ClassVar[str] = "points"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0, 5.0)
    top: ClassVar[float] = 50.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("noise",), "noise")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set the standard deviation of the noise."""
        return change_family(setting, noise=severity)
