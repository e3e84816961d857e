"""What the figures take: plain values, named by what they hold.

`engine.stats` makes most of them; a figure asks only that the fields are there.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Places = NDArray[np.integer[Any]]
Roles = Mapping[str, str]


class Curve(Protocol):
    """One learner's mean along x with its 95 % interval.

    `n` counts replicates, at each x or once; `gone` the tasks that had diverged by
    each x, and `diverged` how many had at the end.
    """

    learner: str
    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: Any
    gone: Places
    diverged: int


class Waiting(Protocol):
    """The share of tasks that have not arrived after each step, with its band."""

    step: Floats
    share: Floats
    low: Floats
    high: Floats
    n: Any


class Banded(Protocol):
    """Means with their intervals, position by position."""

    mean: Floats
    low: Floats
    high: Floats
    n: Any


class Film(Protocol):
    """An artefact of kind "film": arrays by name, and what they are of."""

    arrays: Mapping[str, Any]
    info: Mapping[str, Any]


class Line(NamedTuple):
    """The plainest curve."""

    learner: str
    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: int = 1
    gone: Places = np.zeros(0, dtype=int)

    @property
    def diverged(self) -> int:
        """How many tasks had diverged at the end."""
        return int(self.gone[-1]) if len(self.gone) else 0


class Tuning(NamedTuple):
    """The score of each tried learning rate, and the one that was chosen.

    NaN means that some task diverged there.
    """

    rates: Floats
    mean: Floats
    low: Floats
    high: Floats
    chosen: float


class View(NamedTuple):
    """How a person wants to look; never changes what was run.

    `log_y` None follows the metric; `smooth` is the weight of the past, 0 to 0.99.
    """

    log_y: bool | None = None
    smooth: float = 0.0
    x_title: str = "Step"
    height: int = 320
