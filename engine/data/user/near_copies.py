"""Images of a class that are almost the same, such as a PNG and a JPEG of it."""

from collections.abc import Mapping

import numpy as np

MOST = 1500  # images of a class that are compared
# How small a distance is: in gray levels, and as a share of the usual distance.
LEVELS, SHARE = 12.0, 0.25


def find_near_copies(classes: Mapping[str, np.ndarray]) -> dict[str, dict[int, int]]:
    """Return the near copies of each class that has some.

    Args:
        classes: Images by class; uint8, shape (image, side, side).

    Returns:
        By class: the index of each near copy, and that of the earlier image that it is
        like. Equal images are none: they are left out anyway.
    """
    found = {name: _copies_in_class(images) for name, images in classes.items()}
    return {name: pairs for name, pairs in found.items() if pairs}


def _copies_in_class(images: np.ndarray) -> dict[int, int]:
    flat = images[:MOST].reshape(len(images[:MOST]), -1).astype(np.float32)
    square = (flat * flat).sum(1)
    gaps = np.maximum(square[:, None] + square[None] - 2 * flat @ flat.T, 0.0)
    distance = np.sqrt(gaps / flat.shape[1])
    apart = distance[np.triu_indices(len(flat), 1)]
    if not len(apart):
        return {}
    limit = min(LEVELS, SHARE * float(np.median(apart)))
    near = np.tril(distance < limit, -1)
    pairs: dict[int, int] = {}
    for at in np.flatnonzero(near.any(1)).tolist():
        other = int(np.flatnonzero(near[at])[0])
        if not np.array_equal(images[at], images[other]):
            pairs[at] = other
    return pairs
