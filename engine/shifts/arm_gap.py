"""Closer arms: the best arm pays hardly more than the others.

Source: the hard bandits of Duan et al. (2016), arXiv:1611.02779, section 3.1.
Helps: to see whether an agent explores longer where the arms are hard to tell apart.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs

ENDS = ("low", "high")


@register("shift")
class ArmGap(Shift):
    """p ← ½ + (1 − s)(p − ½) for the range of p; Gaussian spread ← (1 − s) spread."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75)
    top: ClassVar[float] = 0.95

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if not why_no_knobs(setting, ("arms", "spread"), ""):
            return None
        return why_no_knobs(setting, ("arms", *ENDS), "range of what its arms pay")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Bring the arms' probabilities closer to ½, or their means closer to 0."""
        family, less = setting.family.model_dump(), 1 - severity
        if "spread" in family:
            return change_family(setting, spread=less * family["spread"])
        ends = {name: 0.5 + less * (family[name] - 0.5) for name in ENDS}
        return change_family(setting, **ends)
