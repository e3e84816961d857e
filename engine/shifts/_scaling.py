"""Inputs that become longer or shorter: which ones, and by how much."""

from typing import Literal

import numpy as np

from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, generator
from engine.shifts._applicability import change_inputs

Axis = Literal["first", "random", "all"]


def axis_knob() -> Axis:
    """Declare which inputs change."""
    return knob(  # type: ignore[no-any-return]
        "first",
        label="Which input",
        help="The first, one at random for each task, or all of them together.",
    )


def scale_inputs(setting: Setting, axis: Axis, doublings: float) -> Setting:
    """Return the setting with every task's chosen inputs 2^doublings times as long."""

    def warp(sample: Sample, rng: Rng) -> Sample:
        factors = np.float32(2.0) ** scale_amounts(axis, sample, rng, doublings)
        return change_inputs(sample, lambda x: x * factors)

    return setting.with_warp(warp)


def scale_amounts(axis: Axis, sample: Sample, rng: Rng, amount: float) -> np.ndarray:
    """Return the amount for the chosen inputs and 0 for others; (feature, 1).

    Args:
        axis: "first", "random" (one of each task's) or "all".
        sample: The task that it is about.
        rng: The task's stream.
        amount: Doublings; below 0 halvings.
    """
    size = sample.x.shape[0]
    amounts = np.zeros((size, 1), np.float32)
    if axis == "all":
        return amounts + np.float32(amount)
    draw = generator(rng.child("shift", "axis"))
    chosen = int(draw.integers(size)) if axis == "random" else 0
    amounts[chosen] = amount
    return amounts
