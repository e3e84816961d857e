"""Inversion: dark becomes bright and bright dark.

Source: the negative images of Hosseini et al. (2017), arXiv:1703.06857.
Helps: to see whether a learner uses shape, or where there is ink.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift
from engine.shifts._applicability import change_inputs, why_no_image


@register("shift")
class Inversion(Shift):
    """x ← a + b − x, a and b being the darkest and brightest pixels of the support."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "off or on"
    severities: ClassVar[tuple[float, ...]] = (1.0,)
    top: ClassVar[float] = 1.0
    switch: ClassVar[bool] = True

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_image(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Invert support and queries."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            # The support's range, for queries as well: a learner sees only these.
            ends = sample.x.min() + sample.x.max()
            return change_inputs(sample, lambda x: ends - x)

        return setting.with_warp(warp)
