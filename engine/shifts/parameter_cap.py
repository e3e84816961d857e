"""Parameter cap: only architectures with few parameters count, from the start.

Source: constrained search as in Tan et al. (2019), arXiv:1807.11626, with a hard cap.
Differs: the cap is a share of the space, so that it is equally tight in every space; it
is on the property that the family's knob names, parameters by default.
Helps: to see whether what was learned elsewhere helps where the best are excluded.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._space_limits import apply_cap, why_not_capped


@register("shift")
class ParameterCap(Shift):
    """max score(a) over a with p(a) ≤ the (1 − s)-quantile of p."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    unit: ClassVar[str] = "share excluded"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75, 0.9)
    top: ClassVar[float] = 0.999

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_not_capped(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set the cap."""
        return apply_cap(setting, severity, since=0.0)
