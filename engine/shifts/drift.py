"""Abrupt drift: in the middle of a run, the targets in a region change at once.

Source: abrupt concept drift of Gama et al. (2014), doi:10.1145/2523813.
Differs: the region is a half-space with a stated share of the rows.
Helps: to see which learner recovers: once its rate has decayed, an optimizer cannot.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import why_no_inputs
from engine.shifts._concept_shift import with_drift


@register("shift")
class Drift(Shift):
    """From step t₀ on, y ← (y + 1) mod K where u·x exceeds its 1 − s quantile."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.3, 0.5)
    top: ClassVar[float] = 1.0

    start: float = knob(
        0.5,
        label="Start t₀",
        unit="of the horizon",
        low=0.0,
        high=1.0,
        help="When the targets change; a late change leaves few steps to recover.",
    )

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_inputs(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Let the targets of a region change at step t₀."""
        return with_drift(setting, severity, self.start)
