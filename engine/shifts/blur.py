"""Blur: every image is smoothed.

Source: the Gaussian blur of Hendrycks and Dietterich (2019), arXiv:1903.12261.
Differs: at the edge the image is mirrored, so that its mean brightness stays.
Helps: to see whether a learner uses fine strokes or the overall shape.
"""

from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, Sample, Setting, Shift
from engine.shifts._applicability import change_inputs, why_no_image
from engine.shifts._pixels import change_flat_images


@register("shift")
class Blur(Shift):
    """x ← g_s ∗ x, g_s a Gaussian with a standard deviation of s pixels."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "pixels"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1.0, 1.5, 2.0, 3.0)
    top: ClassVar[float] = 10.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_image(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Blur support and queries."""

        def blur(images: np.ndarray) -> np.ndarray:
            from scipy.ndimage import gaussian_filter  # here: it takes long to import

            # Axes: example, channel, row, column; only the pixels are mixed.
            sigma = (0.0, 0.0, severity, severity)
            return np.asarray(gaussian_filter(images, sigma, mode="reflect"))

        def warp(sample: Sample, rng: Rng) -> Sample:
            assert isinstance(sample, Episode)
            return change_inputs(sample, change_flat_images(blur, sample.shape))

        return setting.with_warp(warp)
