"""Outer learning-rate schedules and weight decay.

Source: Loshchilov and Hutter (2017), arXiv:1608.03983, for the cosine; the linear
decay to 0 is that of Nichol, Achiam and Schulman (2018), arXiv:1803.02999; decoupled
weight decay is that of Loshchilov and Hutter (2019), arXiv:1711.05101.
"""

import math
from typing import Any, Literal

import torch
from torch import Tensor

from engine.contract.parts import knob

OuterSchedule = Literal["constant", "cosine", "linear"]


def schedule_knob() -> Any:
    """Declare the schedule of the outer learning rate."""
    return knob(
        "constant",
        label="Outer schedule",
        advanced=True,
        help="How the outer rate decays to 0 over meta-training; constant keeps it.",
    )


def decay_knob() -> Any:
    """Declare the decoupled weight decay of the meta-weights."""
    return knob(
        0.0,
        label="Weight decay",
        unit="per outer rate",
        low=0.0,
        high=10.0,
        advanced=True,
        help="At each outer step, meta-weights shrink by this × the outer rate.",
    )


def outer_factor(schedule: OuterSchedule, done: float | Tensor) -> float | Tensor:
    """Return the factor that a schedule applies to the outer rate.

    Args:
        schedule: Name of the schedule.
        done: Share of meta-training that is done, 0 to 1; perhaps of shape ().

    >>> outer_factor("linear", 0.25), outer_factor("cosine", 0.5)
    (0.75, 0.5)
    """
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return 1.0 - done
    angle = math.pi * done
    cosine = torch.cos(angle) if isinstance(angle, Tensor) else math.cos(angle)
    return (1 + cosine) / 2
