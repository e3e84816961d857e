"""Other shots: test episodes have a smaller or larger support than in meta-training.

Source: the shot mismatch of Cao et al. (2020), arXiv:1909.11722.
Helps: to see how much each learner gains from more examples: one, five and ten shots in
a single run, on the same classes or functions and the same queries.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class Shots(Shift):
    """K ← s, at test time only."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "shots"
    severities: ClassVar[tuple[float, ...]] = (1.0, 5.0, 10.0)
    top: ClassVar[float] = 100.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("shots",), "shots")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set the number of shots of every test episode."""
        return change_family(setting, shots=round(severity))
