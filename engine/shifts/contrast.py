"""Contrast: every image fades toward its own mean brightness.

Source: the contrast corruption of Hendrycks and Dietterich (2019), arXiv:1903.12261.
Differs: severity is the share of contrast that is lost.
Helps: to see whether a learner uses the strength of edges, or only their position.
"""

from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift
from engine.shifts._applicability import change_inputs, why_no_image


@register("shift")
class Contrast(Shift):
    """x ← m + (1 − s)(x − m), m the mean of the image."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "share lost"
    severities: ClassVar[tuple[float, ...]] = (0.1, 0.25, 0.5, 0.75, 0.9)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_image(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Fade support and queries."""

        def fade(x: np.ndarray) -> np.ndarray:
            # Over features: each image has its own mean, shape (1, example).
            mean = x.mean(axis=0, keepdims=True)
            return np.asarray(mean + (1.0 - severity) * (x - mean), x.dtype)

        def warp(sample: Sample, rng: Rng) -> Sample:
            return change_inputs(sample, fade)

        return setting.with_warp(warp)
