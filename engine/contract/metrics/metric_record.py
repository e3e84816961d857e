"""`Metric`, the description of one measured quantity."""

from math import inf
from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """One measured quantity.

    `direction` is -1 if less is better, +1 if more is better, else 0. Values lie from
    `low` to `high`; a `flag` is 0 or 1; a value that is `always` there is never NaN. Of
    one with `gaps`, NaN says that there was nothing to measure, and not divergence. A
    `share` is a fraction of 1; a `logarithm` is already one, so that differences are
    ratios. `mean` says how values are averaged; the interval of that mean is made
    on a scale that stays within `ends`. A diverged task counts as `worst` in means, if
    the metric has such a value.
    """

    name: str
    label: str
    unit: str
    direction: Literal[-1, 0, 1]
    scale: Literal["linear", "log"]
    help: str
    low: float = -inf
    high: float = inf
    flag: bool = False
    always: bool = False
    gaps: bool = False
    share: bool = False
    logarithm: bool = False
    mean: Literal["arithmetic", "geometric"] = "arithmetic"
    ends: tuple[float, float] = (-inf, inf)
    worst: float | None = None
