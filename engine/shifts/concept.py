"""Concept shift: in a region of the inputs, the correct answer changes.

Source: the real concept drift of Gama et al. (2014), doi:10.1145/2523813.
Differs: the region is a half-space that contains a stated share of the rows.
Helps: as a change that no rescaling of the inputs can undo: the boundary bends.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift
from engine.shifts._applicability import why_no_inputs
from engine.shifts._concept_shift import change_region


@register("shift")
class Concept(Shift):
    """y ← (y + 1) mod K where u·x exceeds its 1 − s quantile; a value is mirrored."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.3, 0.5)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_inputs(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Change the targets of training and held-out rows in the region."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            return change_region(sample, rng, severity)

        return setting.with_warp(warp)
