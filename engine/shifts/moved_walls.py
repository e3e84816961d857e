"""Moved walls: halfway through a trial, some walls stand elsewhere.

Source: ours; the blocking maze of Sutton and Barto (2018), Reinforcement Learning,
example 8.2.
Helps: to see whether an agent notices that what it remembers no longer holds; the
optimum of each episode is that of its own walls.
"""

from typing import Any, ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class MovedWalls(Shift):
    """A share s of the walls moves after half of the episodes; the goal stays."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        family = setting.family
        if reason := why_no_knobs(setting, ("moved", "moves_after", "walls"), "walls"):
            return reason
        knobs: dict[str, Any] = family.model_dump()
        if not knobs["walls"]:
            return f"{family.name} has no walls here; set some"
        if setting.horizon < 2:
            return "a trial has only one episode: walls cannot move between two"
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Move walls halfway through the trial."""
        half = setting.horizon // 2
        return change_family(setting, moved=severity, moves_after=half)
