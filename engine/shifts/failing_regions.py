"""Failing regions: in a share of the space, every training fails.

Source: failed trainings as in Ying et al. (2019), arXiv:1902.09635, but in regions
that are sampled afresh for each search.
Helps: to see which strategies leave a failing region, and which keep trying.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class FailingRegions(Shift):
    """signal = none wherever u(a₁, a₂) < s, u ~ uniform per pair of options."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    unit: ClassVar[str] = "share of the regions"
    severities: ClassVar[tuple[float, ...]] = (0.1, 0.3, 0.6)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("failing",), "failing")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set the share of regions that fail."""
        return change_family(setting, failing=severity)
