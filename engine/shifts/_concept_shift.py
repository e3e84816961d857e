"""Concept shifts and drifts: other targets in a half-space of the inputs."""

from dataclasses import replace

import numpy as np

from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, generator
from engine.shifts._applicability import random_direction


def change_region(sample: Sample, rng: Rng, share: float) -> Sample:
    """Change the targets of the rows farthest along a random direction.

    Each class becomes the next one; values are mirrored at their training mean. The
    direction does not depend on the share, so a larger region contains a smaller.

    Args:
        sample: One task.
        rng: The task's stream.
        share: Share of the training rows that lie in the region.

    Returns:
        The task with changed training and held-out targets.
    """
    draw = generator(rng.child("shift", "region"))
    spread = sample.x.std(axis=1)
    # Constant inputs cannot tell rows apart, and would divide by 0.
    arrow = random_direction(draw, len(spread)) * (spread > 0)
    arrow /= np.where(spread > 0, spread, 1.0)
    along, held_along = arrow @ sample.x, arrow @ sample.held_x
    edge = _edge(along, share)
    middle = sample.y.mean() if sample.y.dtype.kind == "f" else 0.0
    y = _change_answers(sample.y, along > edge, sample.outputs, middle)
    held_y = _change_answers(sample.held_y, held_along > edge, sample.outputs, middle)
    return replace(sample, y=y, held_y=held_y)


def with_drift(
    setting: Setting, share: float, start: float, length: float = 0.0
) -> Setting:
    """Return the setting whose tasks drift: targets in a region change during a run.

    Args:
        setting: The setting to change.
        share: Share of the training rows that lie in the region.
        start: When the first targets change; share of the horizon.
        length: How long it takes until all have changed; share of the horizon.
    """

    def warp(sample: Sample, rng: Rng) -> Sample:
        later = change_region(sample, rng, share)
        return replace(sample, later=later, drift=(start, length))

    return setting.with_warp(warp)


def _edge(along: np.ndarray, share: float) -> float:
    """Return the bound above which a share of the training rows lies."""
    inside = round(share * len(along))
    # ±inf at the ends: share 0 changes no row, share 1 all, held-out ones included.
    bounds = np.concatenate([[-np.inf], np.sort(along)[: len(along) - 1], [np.inf]])
    return float(bounds[len(along) - inside])


def _change_answers(
    y: np.ndarray, inside: np.ndarray, outputs: int, middle: float
) -> np.ndarray:
    other = (y + 1) % outputs if y.dtype.kind == "i" else 2.0 * middle - y
    return np.where(inside, other, y).astype(y.dtype)
