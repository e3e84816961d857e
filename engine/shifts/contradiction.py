"""Contradiction: some targets of the support say the opposite of the others.

Source: ours; for classes, label_noise does the same.
Helps: to see which learners notice that a support contradicts itself: one that fits
every example follows the few, one with a belief about functions doubts them. At a share
of a half it contradicts itself most; beyond that the mirrored targets are the majority,
and at 1 all of them agree, on another function than the queries.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, SampledFamily, Setting, Shift, generator
from engine.shifts._applicability import why_no_values


@register("shift")
class Contradiction(Shift):
    """y ← 2 ȳ − y with probability s, ȳ being the support's mean; support only."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.3, 0.5)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_values(setting):
            return reason
        assert isinstance(setting.family, SampledFamily)
        if len(setting.family.sample(Rng(0), "test").y) > 1:
            return None
        return f"the support of {setting.family.name} has one example, its own mean"

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Mirror some of the support's targets at their mean; queries stay true."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            draw = generator(rng.child("shift", "contradiction"))
            # The same draw at every severity: a larger share contains a smaller one.
            against = draw.random(sample.y.shape) < severity
            mirrored = (2.0 * sample.y.mean() - sample.y).astype(sample.y.dtype)
            return replace(sample, y=np.where(against, mirrored, sample.y))

        return setting.with_warp(warp)
