"""Feature noise: Gaussian noise on every input.

Source: the noise corruption of Hendrycks and Dietterich (2019), arXiv:1903.12261.
Differs: measured in standard deviations of each task's own inputs; the same noise
at every severity, only larger.
Helps: to see the effect of overlapping classes: the best loss rises, progress slows.
"""

from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift, generator
from engine.shifts._applicability import (
    InputChange,
    change_train_and_held,
    input_deviation,
    why_no_inputs,
)


@register("shift")
class FeatureNoise(Shift):
    """x ← x + s σ ∘ n, n ~ N(0, I), on training and held-out rows."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot"})
    unit: ClassVar[str] = "σ"
    severities: ClassVar[tuple[float, ...]] = (0.1, 0.25, 0.5, 1.0, 2.0)
    top: ClassVar[float] = 10.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_inputs(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Add noise to every task's inputs."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            draw = generator(rng.child("shift", "feature_noise"))
            size = severity * input_deviation(sample)
            # The severity only scales the draws: the same noise, larger.
            noise = size * draw.standard_normal(sample.x.shape)
            held = size * draw.standard_normal(sample.held_x.shape)
            return change_train_and_held(sample, _add_noise(noise), _add_noise(held))

        return setting.with_warp(warp)


def _add_noise(noise: np.ndarray) -> InputChange:
    return lambda x: (x + noise).astype(x.dtype)
