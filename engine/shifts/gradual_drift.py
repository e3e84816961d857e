"""Gradual drift: during a run, the targets in a region change row by row.

Source: gradual concept drift of Gama et al. (2014), doi:10.1145/2523813.
Differs: the region is a half-space with a stated share of the rows.
Helps: to see which learners keep up with a moving target.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import why_no_inputs
from engine.shifts._concept_shift import with_drift


@register("shift")
class GradualDrift(Shift):
    """Between t₀ and t₀ + l, one row after the other gets the region's new target."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.3, 0.5)
    top: ClassVar[float] = 1.0

    start: float = knob(
        0.3,
        label="Start t₀",
        unit="of the horizon",
        low=0.0,
        high=1.0,
        help="When the first targets change.",
    )
    length: float = knob(
        0.4,
        label="Length l",
        unit="of the horizon",
        low=0.0,
        high=1.0,
        help="How long it takes until all have changed; 0 is abrupt.",
    )

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_inputs(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Let the targets of a region change from step t₀ on."""
        return with_drift(setting, severity, self.start, self.length)
