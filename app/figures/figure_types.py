"""Types that the figures take: plain values, named by their content.

What `engine.stats` makes, such as a curve or a band, is drawn as it comes.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.integer[Any]]
Roles = Mapping[str, str]


class Film(Protocol):
    """An artefact of kind "film": arrays by name, and their description."""

    arrays: Mapping[str, Any]
    info: Mapping[str, Any]


class TuningCurve(NamedTuple):
    """The score of each tried learning rate, and the one that was chosen.

    NaN means that some task diverged there. Where replicates chose for themselves,
    `chosen` is their geometric mean, `lowest` and `highest` are the extremes; `over`
    names what the means and intervals are over.
    """

    rates: Floats
    mean: Floats
    low: Floats
    high: Floats
    chosen: float
    lowest: float
    highest: float
    over: str = "replicates"


class CurveOptions(NamedTuple):
    """View options of curves; they never change what was run.

    `log_y` None follows the metric; `smooth` is the weight of the past, 0 to 0.99.
    """

    log_y: bool | None = None
    smooth: float = 0.0
    x_title: str = "Step"
    height: int = 320
