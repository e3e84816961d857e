"""What falls as meta-training goes on: the outer rate, and weights without need.

Source: Loshchilov and Hutter (2017), arXiv:1608.03983, for the cosine; the linear
fall to 0 is that of Nichol, Achiam and Schulman (2018), arXiv:1803.02999; decoupled
weight decay is that of Loshchilov and Hutter (2019), arXiv:1711.05101.
"""

import math
from typing import Any, Literal

from engine.contract.parts import knob

OuterSchedule = Literal["constant", "cosine", "linear"]


def schedule_knob() -> Any:
    """Declare how the outer rate changes."""
    return knob(
        "constant",
        label="Outer schedule",
        advanced=True,
        help="How the outer rate falls to 0 over meta-training, or that it stays.",
    )


def decay_knob() -> Any:
    """Declare how fast meta-weights shrink by themselves."""
    return knob(
        0.0,
        label="Weight decay",
        unit="per outer rate",
        low=0.0,
        high=10.0,
        advanced=True,
        help="Shrinks meta-weights by rate × this at each outer step.",
    )


def outer_factor(schedule: OuterSchedule, done: float) -> float:
    """Return the share of the outer rate that is left.

    >>> outer_factor("linear", 0.25), outer_factor("cosine", 0.5)
    (0.75, 0.5)
    """
    if schedule == "constant":
        return 1.0
    return 1.0 - done if schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
