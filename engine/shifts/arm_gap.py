"""Closer arms: the best arm pays hardly more than the others.

Source: the hard bandits of Duan et al. (2016), arXiv:1611.02779, section 3.1.
Helps: to see whether an agent explores longer where the arms are hard to tell apart.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class ArmGap(Shift):
    """p ← ½ + (1 − s)(p − ½), for the range of probabilities."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75)
    top: ClassVar[float] = 0.95

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("low", "high"), "range of probabilities")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Bring both ends of the range closer to ½."""
        family = setting.family.model_dump()
        ends = {
            name: 0.5 + (1 - severity) * (family[name] - 0.5)
            for name in ("low", "high")
        }
        return change_family(setting, **ends)
