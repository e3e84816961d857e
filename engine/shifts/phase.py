"""Other phases: test functions have phases outside the range of meta-training.

Source: ours; beyond the ranges of Finn et al. (2017), arXiv:1703.03400, section 5.1,
one property at a time.
Helps: to see whether a learner knows waves at any phase, or only at those it has seen.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs

KNOBS = ("phase_low", "phase")


@register("shift")
class Phase(Shift):
    """p ~ U(p₀ + s π, p₁ + s π) instead of U(p₀, p₁)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "× π"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75, 1.0)
    top: ClassVar[float] = 4.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, KNOBS, "phase")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Move the range of phases; its width stays."""
        low, high = (getattr(setting.family, name) for name in KNOBS)
        return change_family(setting, phase_low=low + severity, phase=high + severity)
