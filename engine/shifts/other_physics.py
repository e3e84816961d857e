"""Other physics: a factor on length, mass and gravity that training never met.

Source: the changed environments of Packer et al. (2018), arXiv:1810.12282.
Helps: to see whether an agent has learned to adapt to physics, or a range of them.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class OtherPhysics(Shift):
    """f ← s for each constant that varies, in every test task."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "× usual"
    severities: ClassVar[tuple[float, ...]] = (0.25, 3.0, 4.0)
    top: ClassVar[float] = 10.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("varied", "low", "high"), "physics")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set both ends of the range of factors."""
        return change_family(setting, low=severity, high=severity)
