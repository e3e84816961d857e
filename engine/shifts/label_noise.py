"""Label noise: some training labels are wrong; held-out labels stay correct.

Source: Angluin and Laird (1988): symmetric classification noise.
Differs: on training rows only, so that accuracy is still measured on correct labels.
Helps: to see whether an optimizer ends up fitting the wrong labels.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift, generator
from engine.shifts._applicability import relabel, why_no_labels


@register("shift")
class LabelNoise(Shift):
    """y ← another class, uniformly, with probability s; training rows only."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.3, 0.4)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_labels(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Give some training rows of every task a wrong label."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            draw = generator(rng.child("shift", "label_noise"))
            wrong = draw.random(sample.y.shape) < severity
            # At least one class away, so that a wrong label is never the right one.
            away = draw.integers(1, sample.outputs, sample.y.shape)
            return _mislabel(sample, wrong, away)

        return setting.with_warp(warp)


def _mislabel(sample: Sample, wrong: np.ndarray, away: np.ndarray) -> Sample:
    y = np.where(wrong, (sample.y + away) % sample.outputs, sample.y)
    # The same rows are wrong before and after a drift.
    later = sample.later and _mislabel(sample.later, wrong, away)
    return relabel(replace(sample, later=later), y)
