"""Missing features: random cells are set to 0.

Source: Rubin (1976): missing completely at random; imputed with a constant.
Differs: the constant is 0 in the task's own units, not the mean of the input.
Helps: to see how a learner handles rows with less information than in meta-training.
"""

from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift, generator
from engine.shifts._applicability import (
    InputChange,
    change_train_and_held,
    why_no_inputs,
)


@register("shift")
class Missing(Shift):
    """x_i ← 0 with probability s; what is missing at a low s is at a higher s, too."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.25, 0.5, 0.75)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_inputs(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set cells of training and held-out rows to 0."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            draw = generator(rng.child("shift", "missing"))
            # The same draws at every severity, so that the missing cells are nested.
            kept = draw.random(sample.x.shape) >= severity
            held = draw.random(sample.held_x.shape) >= severity
            return change_train_and_held(sample, _mask_inputs(kept), _mask_inputs(held))

        return setting.with_warp(warp)


def _mask_inputs(kept: np.ndarray) -> InputChange:
    return lambda x: x * kept.astype(x.dtype)
