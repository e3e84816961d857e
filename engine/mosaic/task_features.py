"""Features of a task that are known before any net is trained on it."""

import math

import numpy as np

from engine.mosaic.tasks import MosaicTask

FEATURES = (
    "log10 examples",
    "log10 inputs",
    "classes",
    "largest class",
    "linear accuracy",
    "nearest neighbor accuracy",
)
_RIDGE = 0.01


def measure_features(task: MosaicTask) -> list[float]:
    """Return the features named in `FEATURES`; accuracies are on validation rows."""
    x, y = task.x["train"].astype(np.float64), task.y["train"]
    held_x, held_y = task.x["validation"].astype(np.float64), task.y["validation"]
    return [
        math.log10(len(x)),
        math.log10(task.features),
        task.classes,
        float(np.bincount(y).max() / len(y)),
        float((_predict_linear(x, y, held_x) == held_y).mean()),
        float((_predict_nearest(x, y, held_x) == held_y).mean()),
    ]


def _predict_linear(x: np.ndarray, y: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Classify by ridge regression on one-hot classes; inputs are standardized."""
    targets = np.eye(y.max() + 1)[y]
    square = x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1])
    slopes = np.linalg.solve(square, x.T @ targets)
    return (held @ slopes + targets.mean(0)).argmax(1)


def _predict_nearest(x: np.ndarray, y: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Classify by the nearest training row."""
    apart = ((held[:, None] - x) ** 2).sum(2)
    return y[apart.argmin(1)]
