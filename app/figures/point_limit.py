"""Limits the points of a trace, so that large figures stay fast to draw."""

import itertools

import numpy as np

MAX_POINTS = 2_000


def thin_indices(x: np.ndarray, y: np.ndarray, limit: int = MAX_POINTS) -> np.ndarray:
    """Return indices that thin out a line, keeping each bucket's minimum and maximum.

    Args:
        x: Positions, ascending, shape (n,).
        y: Values, shape (n,); NaN allowed.
        limit: Maximum number of points to keep.
    """
    count = len(x)
    if count <= limit:
        return np.arange(count)
    edges = np.linspace(0, count, (limit - 2) // 2 + 1).astype(int)
    kept = {0, count - 1}
    for start, stop in itertools.pairwise(edges):
        part = y[start:stop]
        if not np.isfinite(part).any():
            kept.add(int(start))
            continue
        kept |= {start + int(np.nanargmin(part)), start + int(np.nanargmax(part))}
    return np.array(sorted(kept))
