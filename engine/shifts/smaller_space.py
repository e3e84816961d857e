"""Smaller space: fewer options for each decision, or fewer decisions.

Source: sub-spaces as in Dong et al. (2021), arXiv:2009.00437, who search one space
nested in another.
Differs: the last options stay, and the first decisions stay open; one option that
does something is always left.
Helps: shows what a strategy costs where there is little to find.
"""

from typing import ClassVar, Literal

from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import changed_family, no_knobs
from engine.shifts._search import radix_of


@register("shift")
class SmallerSpace(Shift):
    """Every decision keeps its last options, s fewer than the largest has."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    unit: ClassVar[str] = "fewer"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0)
    top: ClassVar[float] = 16.0

    what: Literal["options", "decisions"] = knob(
        "options", label="Fewer",
        help="Options of each decision (at least two stay), or open decisions (at "
        "least one stays).",
    )  # fmt: skip

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := no_knobs(setting, (self.what,), self.what):
            return reason
        if self._whole(setting) > self._least():
            return None
        return f"{setting.family.name} has no {self.what} to give up"

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Keep fewer."""
        kept = max(self._least(), self._whole(setting) - round(severity))
        return changed_family(setting, **{self.what: kept})

    def _least(self) -> int:
        return 2 if self.what == "options" else 1

    def _whole(self, setting: Setting) -> int:
        """Return how many there are now: of all, or of those that a knob keeps."""
        radix = radix_of(setting)
        most = max(radix) if self.what == "options" else len(radix)
        return min(most, getattr(setting.family, self.what) or most)
