"""Changes of images: one by one, or all by the same map between pixels."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.shifts._applicability import InputChange

if TYPE_CHECKING:
    from scipy import sparse

ImageChange = Callable[[np.ndarray], np.ndarray]


def change_flat_images(change: ImageChange, shape: tuple[int, ...]) -> InputChange:
    """Turn a change of images into a change of flattened inputs.

    Args:
        change: Images → images; shape (example, channel, height, width).
        shape: Shape of one image: (channel, height, width).

    Returns:
        Inputs → inputs; shape (feature, example).
    """

    def change_rows(x: np.ndarray) -> np.ndarray:
        images = change(x.T.reshape(-1, *shape))
        return np.ascontiguousarray(images.reshape(len(images), -1).T, dtype=x.dtype)

    return change_rows


def remap_pixels(shape: tuple[int, ...], matrix: np.ndarray) -> InputChange:
    """Return the change that resamples every image by a linear map.

    Args:
        shape: Shape of one image: (channel, height, width).
        matrix: Maps a pixel's position to the position whose brightness it gets, both
            measured from the image's center, (down, right); shape (2, 2).

    Returns:
        Inputs → inputs; shape (feature, example). Interpolates bilinearly; outside,
        the edge pixels continue.
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
) -> "sparse.csr_array":
    """Return bilinear interpolation as a matrix; shape (pixel, pixel)."""
    from scipy import sparse  # here, as it takes long to import

    middle = np.array([[height - 1], [width - 1]]) / 2.0
    place = np.indices((height, width)).reshape(2, -1) - middle
    limit = np.array([[height - 1], [width - 1]])
    # Clipped to the image: outside, the edge pixels continue.
    source = (np.array(matrix).reshape(2, 2) @ place + middle).clip(0, limit)
    # The last pixel interpolates from its predecessor, so that a neighbor exists.
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

    Args:
        height: Pixels of the image.
        width: Pixels of the image.
        share: Share of the area, from 0 to 1.

    Returns:
        Height and width of the patch, in pixels, each at least 1.

    >>> patch_size(28, 28, 0.25)
    (14, 14)
    """
    rows = min(max(1, round(height * share**0.5)), height)
    columns = min(max(1, round(share * height * width / rows)), width)
    return rows, columns
