"""Smaller space: fewer options for each decision, or fewer decisions.

Source: Radosavovic et al. (2020), arXiv:2003.13678, who restrict one space step by
step.
Differs: the last options stay, and the first decisions stay open; at least one option
besides "none" is always left.
Helps: to see what a strategy costs where there is little to find.
"""

from typing import ClassVar, Literal

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs
from engine.shifts._space_limits import option_counts


@register("shift")
class SmallerSpace(Shift):
    """Every decision keeps its last options, s fewer than the largest has."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    unit: ClassVar[str] = "fewer"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0)
    top: ClassVar[float] = 16.0

    what: Literal["options", "decisions"] = knob(
        "options",
        label="Fewer",
        help="Options of each decision (at least two stay), or open decisions (at "
        "least one stays).",
    )

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_knobs(setting, (self.what,), self.what):
            return reason
        if self._count_now(setting) > self._fewest():
            return None
        return f"{setting.family.name} has no {self.what} to remove"

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Keep fewer options, or fewer open decisions."""
        kept = max(self._fewest(), self._count_now(setting) - round(severity))
        return change_family(setting, **{self.what: kept})

    def _fewest(self) -> int:
        return 2 if self.what == "options" else 1

    def _count_now(self, setting: Setting) -> int:
        """Return the current number: what the family's knob keeps, or all."""
        radix = option_counts(setting)
        most = max(radix) if self.what == "options" else len(radix)
        return min(most, getattr(setting.family, self.what) or most)
