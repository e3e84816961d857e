"""Class imbalance: some classes become rare among the training rows.

Source: the long-tailed classes of Cui et al. (2019), arXiv:1901.05555.
Differs: rows of rare classes are replaced by copies of rows of common ones, so that
the number of training rows stays; held-out rows stay as balanced as they were. In an
episode's support, each class keeps at least one example.
Helps: to see whether an optimizer neglects rare classes.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, Sample, Setting, Shift, generator
from engine.shifts._applicability import relabel, why_no_labels


@register("shift")
class Imbalance(Shift):
    """p_k ∝ p_k 2^(−s k/(K − 1)), k = 0 … K − 1: first to last class as 2^s to 1."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot"})
    unit: ClassVar[str] = "doublings"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0, 3.0, 4.0)
    top: ClassVar[float] = 10.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_labels(setting):
            return reason
        if "presentations" in type(setting.family).model_fields:
            return "examples come one at a time, so none can stand in for another"
        alone = getattr(setting.family, "shots", 2) == 1
        return "with one shot per class, no class can become rarer" if alone else None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Replace training rows of every task."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            draw = generator(rng.child("shift", "imbalance"))
            picks = _choose_rows(sample, draw, severity)
            return _resample(sample, picks)

        return setting.with_warp(warp)


def _choose_rows(
    sample: Sample, draw: np.random.Generator, severity: float
) -> np.ndarray:
    """Return, for each position, the row that replaces it; most keep their own."""
    count, last = len(sample.y), max(sample.outputs - 1, 1)
    share = np.bincount(sample.y, minlength=sample.outputs) / count
    wanted = share * 2.0 ** (-severity * np.arange(sample.outputs) / last)
    wanted /= wanted.sum()
    # A class without rows has share 0 and gets none.
    factor = wanted / np.maximum(share, 1e-12)
    dropped = draw.random(count) > factor[sample.y]
    if isinstance(sample, Episode):  # no class may vanish from a support
        dropped[np.unique(sample.y, return_index=True)[1]] = False
    # Common classes fill the gaps, each row by how much its class must grow.
    gain = np.cumsum(np.maximum(factor - 1.0, 0.0)[sample.y])
    aim = draw.random(count) * gain[-1]
    # Rounding may put an aim at the very end: the last row then.
    stand_in = np.searchsorted(gain, aim, side="right").clip(max=count - 1)
    return np.where(dropped, stand_in, np.arange(count))


def _resample(sample: Sample, picks: np.ndarray) -> Sample:
    later = sample.later and _resample(sample.later, picks)
    x, y = sample.x[:, picks], sample.y[picks]
    return relabel(replace(sample, x=x, later=later), y)
