"""Image rotation: every image of an episode is turned by the same angle.

Source: the rotations of Ghifary et al. (2015), arXiv:1508.07680; ours for episodes.
Differs: interpolates between pixels and repeats the edge outside; where meta-training
has rotated images as classes of their own, quarter turns are nothing new.
Helps: to see whether a learner compares images, or relies on their orientation.
"""

from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, Sample, Setting, Shift
from engine.shifts._applicability import change_inputs, why_no_image
from engine.shifts._pixels import remap_pixels


@register("shift")
class ImageRotation(Shift):
    """x(r) ← x(R(−s) r), R(s) turning the picture counterclockwise by s."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "degrees"
    severities: ClassVar[tuple[float, ...]] = (10.0, 20.0, 45.0, 90.0, 180.0)
    top: ClassVar[float] = 360.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_image(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Rotate support and queries."""
        angle = np.deg2rad(severity)
        cos, sin = np.cos(angle), np.sin(angle)
        # The inverse rotation: from a pixel back to where its brightness comes from.
        matrix = np.array([[cos, sin], [-sin, cos]])

        def warp(sample: Sample, rng: Rng) -> Sample:
            assert isinstance(sample, Episode)
            return change_inputs(sample, remap_pixels(sample.shape, matrix))

        return setting.with_warp(warp)
