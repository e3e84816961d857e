"""The data of one supervised or few-shot task, and changes of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.contract.rng import Rng


@dataclass
class Sample:
    """One supervised task as numpy arrays.

    Args:
        x: Inputs to train on, float32; shape (feature, example).
        y: Targets; int64 classes or float32 values; shape (example,).
        held_x: Held-out inputs; shape (feature, example).
        held_y: Held-out targets; shape (example,).
        outputs: Number of classes, or 1 for regression.
        later: The task after the drift, if it drifts.
        drift: Start and length of the drift, as shares of the horizon.
    """

    x: np.ndarray
    y: np.ndarray
    held_x: np.ndarray
    held_y: np.ndarray
    outputs: int
    later: "Sample | None" = None
    drift: tuple[float, float] = (0.5, 0.0)


@dataclass
class Episode(Sample):
    """One few-shot task: `x`, `y` are its support, `held_x`, `held_y` its queries.

    Args:
        shape: Shape of one example: (feature,), or (channel, height, width).
        ids: Class in the pool of each support example; shape (example,). None for
            regression.
        held_ids: The same for the queries.
        known_classes: Number of classes in the meta-training pool; 0 for regression.
        truth: Noise-free inputs and targets, for plots; shape (2, point).
        online: Whether targets are revealed one by one: the queries are the support's
            own examples, and each is predicted from those before it.
    """

    shape: tuple[int, ...] = ()
    ids: np.ndarray | None = None
    held_ids: np.ndarray | None = None
    known_classes: int = 0
    truth: np.ndarray | None = None
    online: bool = False


Warp = Callable[[Sample, Rng], Sample]
