"""Translate: all inputs are shifted together along a random direction.

Source: covariate shift of the mean; Shimodaira (2000).
Differs: measured in standard deviations of each task's own training inputs.
Helps: to see whether an optimizer relies on inputs centered at 0.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift, generator
from engine.shifts._applicability import (
    change_inputs,
    input_deviation,
    random_direction,
    why_no_rows,
)


@register("shift")
class Translate(Shift):
    """x ← x + s σ ∘ u, u a random unit vector per task, the same at every s."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot"})
    unit: ClassVar[str] = "σ"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0, 2.0, 4.0)
    top: ClassVar[float] = 20.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_rows(setting, "use contrast, blur or feature_noise instead")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Shift every task's inputs."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            draw = generator(rng.child("shift", "translate"))
            arrow = random_direction(draw, sample.x.shape[0])[:, None]
            # Standard deviations of each input, so that units do not matter.
            step = severity * input_deviation(sample) * arrow
            return change_inputs(sample, lambda x: (x + step).astype(x.dtype))

        return setting.with_warp(warp)
