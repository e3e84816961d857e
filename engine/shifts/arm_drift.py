"""Drifting arms: what an arm pays changes during the trial.

Source: Whittle (1988), on restless bandits; ours as a shift at test time.
Helps: to see whether an agent notices that the arm it settled on is no longer the best.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class ArmDrift(Shift):
    """δ ← δ + s, the standard deviation of each arm's step between two pulls."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "step"
    severities: ClassVar[tuple[float, ...]] = (0.1, 0.3, 1.0)
    top: ClassVar[float] = 3.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("drift",), "arms that could drift, so nothing")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Let every arm walk, in the logit of its probability or in its mean."""
        drift = setting.family.model_dump()["drift"] + severity
        return change_family(setting, drift=drift)
