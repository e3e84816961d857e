"""Missing features: cells are lost at random and stand as 0.

Source: Rubin (1976): missing completely at random; imputed with a constant.
Differs: the constant is 0 in the task's own units, not the mean of the input.
Helps: to see how an optimizer takes rows that say less than those it learned on.
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
    """x_i ← 0 with probability s; what is lost at a low s is lost at a higher one."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.25, 0.5, 0.75)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_inputs(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Lose cells of training and held-out rows."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            draw = generator(rng.child("shift", "missing"))
            kept = draw.random(sample.x.shape) >= severity
            held = draw.random(sample.held_x.shape) >= severity
            return change_train_and_held(sample, _mask_inputs(kept), _mask_inputs(held))

        return setting.with_warp(warp)


def _mask_inputs(kept: np.ndarray) -> InputChange:
    return lambda x: x * kept.astype(x.dtype)
