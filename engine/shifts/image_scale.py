"""Image scale: the content of an image shrinks, or grows, around its center.

Source: after the zoom blur of Hendrycks and Dietterich (2019), arXiv:1903.12261.
Differs: no blur; interpolates between pixels and repeats the edge outside.
Helps: to see whether a learner recognizes a shape at any size.
"""

from typing import ClassVar, Literal

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, Sample, Setting, Shift
from engine.shifts._applicability import change_inputs, why_no_image
from engine.shifts._pixels import remap_pixels


@register("shift")
class ImageScale(Shift):
    """x(r) ← x(2^±s r), r from the center: sides are 2^∓s as long."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "doublings"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75, 1.0)
    top: ClassVar[float] = 3.0

    way: Literal["smaller", "larger"] = knob(
        "smaller",
        label="Direction",
        help="Smaller shows more border, larger cuts the border off.",
    )

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_image(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Scale support and queries."""
        # Looking twice as far from the center makes what is seen half as large.
        doublings = severity if self.way == "smaller" else -severity
        matrix = 2.0**doublings * np.eye(2)

        def warp(sample: Sample, rng: Rng) -> Sample:
            assert isinstance(sample, Episode)
            return change_inputs(sample, remap_pixels(sample.shape, matrix))

        return setting.with_warp(warp)
