"""Film frames of tasks in the plane: decision boundaries, and contours under paths."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.protocol import OptimizationBatch
from engine.tasks.optimization._functions import FunctionBatch
from engine.tasks.optimization._supervised import SupervisedBatch

SIZE, MARGIN = 40, 0.08
BOUNDARY, PATH, NONE = "boundary", "path", ""


class Grid(NamedTuple):
    """Values over a grid, rows by ascending y; x of the columns and y of the rows."""

    values: np.ndarray
    xs: np.ndarray
    ys: np.ndarray


def plot_kind(tasks: OptimizationBatch) -> str:
    """Return what a film can show: "boundary", "path", or ""."""
    if isinstance(tasks, SupervisedBatch):
        flat = tasks.data.x.shape[1] == 2 and tasks.has_classes and tasks.outputs == 2
        return BOUNDARY if flat else NONE
    flat = isinstance(tasks, FunctionBatch) and tasks.weights.shape[1] == 2
    return PATH if flat else NONE


def boundary_grid(tasks: SupervisedBatch, path: Tensor, size: int = SIZE) -> Grid:
    """Return the probability of class 1 over the region that the data cover.

    Args:
        tasks: Two-class tasks in the plane.
        path: Weights of each frame; shape (member, frame, weight).
        size: Points along each side.

    Returns:
        uint8, 255 · P(class 1); shape (member, frame, size, size).
    """
    data = tasks.data.x.detach().cpu().numpy()
    xs, ys = _plot_axes(data.transpose(0, 2, 1).reshape(-1, 2), size)
    points = _grid_points(xs, ys).T.copy()
    x = torch.from_numpy(points).to(tasks.data.x)
    seen = tasks.data.x[..., : tasks.data.train]
    # Batch statistics are taken from the training rows, so these come first.
    both = torch.cat([seen, x.expand(len(seen), -1, -1)], 2)
    frames = [
        _class_probabilities(tasks, both, path[:, f]) for f in range(path.shape[1])
    ]
    share = torch.stack(frames, 1).unflatten(2, (size, size))
    values = (255.0 * share).round().to(torch.uint8).cpu().numpy()
    return Grid(values, xs, ys)


def surface_grid(
    tasks: FunctionBatch, path: Tensor | np.ndarray, size: int = SIZE
) -> Grid:
    """Return log10 of each function over the region that the paths cover.

    Args:
        tasks: Functions of two weights.
        path: Weights; shape (member, step, 2); distant points are left out.
        size: Points along each side.

    Returns:
        float32 log10 of the loss, at least −8; shape (member, size, size).
    """
    spots = torch.as_tensor(path).detach().cpu().numpy().reshape(-1, 2)
    xs, ys = _plot_axes(_drop_far(spots, tasks.start().cpu().numpy()), size)
    low, high = torch.from_numpy(xs), torch.from_numpy(ys)
    each = [tasks.surface(member, low, high) for member in range(tasks.members)]
    values = torch.stack(each).clamp(min=1e-8).log() / math.log(10)
    return Grid(values.cpu().numpy().astype(np.float32), xs, ys)


def _class_probabilities(tasks: SupervisedBatch, x: Tensor, weights: Tensor) -> Tensor:
    """Return P(class 1) of the points after the training rows; ½ where it is NaN."""
    train = tasks.data.train
    with torch.no_grad():
        out = tasks.net.apply(tasks.layout.views(weights), x, reference=train)
        share = out[..., train:].softmax(1)[:, 1]
    return torch.nan_to_num(share, 0.5, 0.5, 0.5)


def _drop_far(spots: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Keep the points that are finite and not far from most others."""
    spots = spots[np.isfinite(spots).all(1)]
    # The median, because a single diverging path would drag the mean away.
    middle = np.median(spots, axis=0) if len(spots) else starts.mean(0)
    reach = 4.0 * (np.abs(starts - middle).max(0) + 1.0)
    near = spots[(np.abs(spots - middle) <= reach).all(1)]
    return np.concatenate([near, starts])


def _plot_axes(spots: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = spots.min(0), spots.max(0)
    # A floor, so that points that coincide still span a grid.
    edge = MARGIN * np.maximum(high - low, 1e-6)
    low, high = low - edge, high + edge
    xs, ys = (np.linspace(low[i], high[i], size, dtype=np.float32) for i in (0, 1))
    return xs, ys


def _grid_points(xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    across, up = np.meshgrid(xs, ys)
    return np.stack([across.ravel(), up.ravel()], 1)
