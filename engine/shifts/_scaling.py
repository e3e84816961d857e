"""Scaling of inputs, shared by stretch and shrink: which ones, and by how much."""

from typing import Literal

import numpy as np

from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, generator
from engine.shifts._applicability import change_inputs

Axis = Literal["first", "random", "all"]


def axis_knob() -> Axis:
    """Declare the knob that selects which inputs change."""
    return knob(  # type: ignore[no-any-return]
        "first",
        label="Which input",
        help="The first, one at random for each task, or all of them together.",
    )


def scale_inputs(setting: Setting, axis: Axis, doublings: float) -> Setting:
    """Return the setting with every task's chosen inputs multiplied by 2^doublings.

    Args:
        setting: The setting to change.
        axis: "first", "random" (one per task) or "all".
        doublings: Below 0, halvings.
    """

    def warp(sample: Sample, rng: Rng) -> Sample:
        factors = np.float32(2.0) ** scale_amounts(axis, sample, rng, doublings)
        return change_inputs(sample, lambda x: x * factors)

    return setting.with_warp(warp)


def scale_amounts(axis: Axis, sample: Sample, rng: Rng, amount: float) -> np.ndarray:
    """Return the doublings of each input.

    Args:
        axis: "first", "random" (one per task) or "all".
        sample: One task.
        rng: The task's stream.
        amount: Doublings of the chosen inputs; below 0, halvings.

    Returns:
        `amount` for chosen inputs, 0 for others; float32, shape (feature, 1).
    """
    size = sample.x.shape[0]
    amounts = np.zeros((size, 1), np.float32)
    if axis == "all":
        return amounts + np.float32(amount)
    draw = generator(rng.child("shift", "axis"))
    chosen = int(draw.integers(size)) if axis == "random" else 0
    amounts[chosen] = amount
    return amounts
