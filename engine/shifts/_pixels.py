"""How images change: each one by itself, or all by one map between pixels."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import sparse

from engine.shifts._applicability import InputChange

ImageChange = Callable[[np.ndarray], np.ndarray]


def change_flat_images(change: ImageChange, shape: tuple[int, ...]) -> InputChange:
    """Turn a change of images into one of rows of numbers.

    Args:
        change: Of images; shape (example, channel, height, width).
        shape: Of one image.

    Returns:
        The change of inputs; shape (feature, example).
    """

    def change_rows(x: np.ndarray) -> np.ndarray:
        images = change(x.T.reshape(-1, *shape))
        return np.ascontiguousarray(images.reshape(len(images), -1).T, dtype=x.dtype)

    return change_rows


def remap_pixels(shape: tuple[int, ...], matrix: np.ndarray) -> InputChange:
    """Return the change that looks every pixel up at another place.

    Args:
        shape: Of one image.
        matrix: Leads from a pixel's place, measured from the middle, to the place
            that its brightness is taken from; rows down and columns to the right.
            Between pixels it is interpolated, outside the edge goes on.
    """
    channels, height, width = shape
    lookup = _interpolation_matrix(height, width, tuple(matrix.ravel().tolist()))

    def look_up(x: np.ndarray) -> np.ndarray:
        planes = x.reshape(channels, height * width, -1)
        return np.concatenate([lookup @ plane for plane in planes]).astype(x.dtype)

    return look_up


@lru_cache(maxsize=64)
def _interpolation_matrix(
    height: int, width: int, matrix: tuple[float, ...]
) -> sparse.csr_array:
    """Return bilinear interpolation as a matrix; shape (pixel, pixel)."""
    middle = np.array([[height - 1], [width - 1]]) / 2.0
    place = np.indices((height, width)).reshape(2, -1) - middle
    limit = np.array([[height - 1], [width - 1]])
    source = (np.array(matrix).reshape(2, 2) @ place + middle).clip(0, limit)
    first = np.minimum(np.floor(source), np.maximum(limit - 1, 0)).astype(int)
    part = source - first
    rows, columns, weights = [], [], []
    for down in (0, 1):
        for right in (0, 1):
            row = np.minimum(first[0] + down, height - 1)
            column = np.minimum(first[1] + right, width - 1)
            rows.append(np.arange(height * width))
            columns.append(row * width + column)
            weights.append(np.abs(1 - down - part[0]) * np.abs(1 - right - part[1]))
    entries = (np.concatenate(rows), np.concatenate(columns))
    size = (height * width, height * width)
    return sparse.csr_array((np.concatenate(weights), entries), size)


def patch_size(height: int, width: int, share: float) -> tuple[int, int]:
    """Return the sides of a nearly square patch that covers a share of an image.

    >>> patch_size(28, 28, 0.25)
    (14, 14)
    """
    rows = min(max(1, round(height * share**0.5)), height)
    columns = min(max(1, round(share * height * width / rows)), width)
    return rows, columns
