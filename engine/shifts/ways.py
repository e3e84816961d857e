"""Other ways: test episodes have more or fewer classes than in meta-training.

Source: the way mismatch of Snell et al. (2017), arXiv:1703.05175.
Helps: to see which learners compare examples and which have a head of fixed size: one
for five classes cannot predict twenty.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class Ways(Shift):
    """N ← s, at test time only."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "ways"
    severities: ClassVar[tuple[float, ...]] = (2.0, 10.0, 20.0)
    top: ClassVar[float] = 100.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("ways",), "classes, so no number of ways,")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set the number of classes of every test episode."""
        return change_family(setting, ways=round(severity))
