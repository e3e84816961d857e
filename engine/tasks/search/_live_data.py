"""The data sets that live nets are trained on: planar shapes, clusters and digits.

Each data set is drawn once and fixed: an architecture search optimizes for one data
set, not for a distribution.
"""

from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from engine.contract.rng import Rng
from engine.data.sources.sklearn_sets import load_bundled_set
from engine.protocol import SampledFamily, generator
from engine.tasks.optimization._tables import standardize_columns
from engine.tasks.optimization.checkerboard import Checkerboard
from engine.tasks.optimization.gaussians import Gaussians
from engine.tasks.optimization.moons import Moons
from engine.tasks.optimization.rings import Rings
from engine.tasks.optimization.spirals import Spirals

DataSetName = Literal[
    "moons", "rings", "spirals", "checkerboard", "gaussians", "digits"
]
NAMES: tuple[str, ...] = get_args(DataSetName)
TRAIN, VALIDATION, TEST = 256, 256, 512
ROOT = Rng(2016)
_PLANE = {"turn": 0.0, "gain": 0.0}
_MADE: dict[str, SampledFamily] = {
    "moons": Moons(noise=0.25, **_PLANE),
    "rings": Rings(rings=3, **_PLANE),
    "spirals": Spirals(turns=1.5, **_PLANE),
    "checkerboard": Checkerboard(squares=3.0, slide=0.0, **_PLANE),
    "gaussians": Gaussians(dimensions=8, classes=8, radius=1.5),
}


class LabeledRows(NamedTuple):
    """Rows of one part: x, float64, (row, feature); y, int64, (row,)."""

    x: Tensor
    y: Tensor


class LiveTask(NamedTuple):
    """One classification task with a fixed split of its rows."""

    name: str
    train: LabeledRows
    validation: LabeledRows
    test: LabeledRows
    classes: int

    @property
    def features(self) -> int:
        """Return the number of inputs."""
        return int(self.train.x.shape[1])


@lru_cache(maxsize=len(NAMES))
def live_task(name: str) -> LiveTask:
    """Return a task by name; inputs are standardized by the training rows."""
    x, y = _sample_family(name) if name in _MADE else _draw_digits()
    cuts = [TRAIN, TRAIN + VALIDATION]
    train, *others = np.split(x, cuts)
    first, _ = standardize_columns(train, train)
    parts = [first, *(standardize_columns(train, part)[1] for part in others)]
    rows = [
        LabeledRows(torch.from_numpy(part).double(), torch.from_numpy(classes))
        for part, classes in zip(parts, np.split(y.astype(np.int64), cuts), strict=True)
    ]
    return LiveTask(name, *rows, classes=int(y.max()) + 1)


def _sample_family(
    name: str,
) -> tuple[Float[np.ndarray, "row feature"], Int[np.ndarray, " row"]]:
    held = VALIDATION + TEST
    family = _MADE[name].model_copy(update={"examples": TRAIN, "held_out": held})
    drawn = family.sample(ROOT.child("live", name), "train")
    x = np.concatenate([drawn.x, drawn.held_x], 1).T.astype(np.float64)
    return x, np.concatenate([drawn.y, drawn.held_y])


def _draw_digits() -> tuple[Float[np.ndarray, "row feature"], Int[np.ndarray, " row"]]:
    table, count = load_bundled_set("digits"), TRAIN + VALIDATION + TEST
    order = generator(ROOT.child("live", "digits")).permutation(table.rows)[:count]
    return table.x[order], table.y[order]


def live_task_features() -> Float[np.ndarray, "task feature"]:
    """Return ln inputs, ln classes and largest class share; float32, (task, 3)."""
    rows = []
    for name in NAMES:
        task = live_task(name)
        share = float(torch.bincount(task.train.y).max()) / TRAIN
        rows.append([np.log(task.features), np.log(task.classes), share])
    return np.array(rows, np.float32)
