"""Which inputs a change of scale is about."""

import numpy as np

from engine.contract.rng import Rng
from engine.protocol import Sample, generator


def scales(axis: str, sample: Sample, rng: Rng, amount: float) -> np.ndarray:
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
