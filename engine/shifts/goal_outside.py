"""Goals outside: goals lie beyond the square of meta-training.

Source: the out-of-distribution goals of Mendonca et al. (2020), arXiv:2006.07178, as a
continuous severity.
Helps: to see whether an agent looks for a goal, or only chooses among those it knows.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class GoalOutside(Shift):
    """g ← g (1 + s ‖g‖) / ‖g‖, with the largest norm, in half sides of the square."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "half sides"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0)
    top: ClassVar[float] = 4.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("outside",), "goals in a square")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Move every goal outside, in its direction."""
        return change_family(setting, outside=severity)
