"""Function noise: Gaussian noise on the targets of the support.

Source: ours; noisy sinusoids are in Finn et al. (2018), arXiv:1806.02817.
Helps: to see which learners fit every point, and which keep to plausible functions.
"""

from dataclasses import replace
from typing import ClassVar

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift, generator
from engine.shifts._applicability import why_no_values


@register("shift")
class FunctionNoise(Shift):
    """y ← y + s n, n ~ N(0, 1), on the support alone; the same n at every s."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "σ, in units of y"
    severities: ClassVar[tuple[float, ...]] = (0.1, 0.25, 0.5, 1.0, 2.0)
    top: ClassVar[float] = 20.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_values(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Add noise to the support's targets; queries stay exact."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            draw = generator(rng.child("shift", "function_noise"))
            noise = severity * draw.standard_normal(sample.y.shape)
            return replace(sample, y=(sample.y + noise).astype(sample.y.dtype))

        return setting.with_warp(warp)
