"""Layout of an episode's images: a row per class, support left, queries right."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from app.figures.figure_types import Floats, Indices

SPLIT = 0.4  # cells between support and queries
BETWEEN = 0.5  # cells between two blocks
NAMES = 0.8  # cells to the left of a block, for the class numbers


class EpisodeGrid(NamedTuple):
    """Positions of examples: left and upper edge of each cell, and the sheet's size."""

    support: Floats
    query: Floats
    names: Floats
    width: float
    height: float


def place_examples(support_y: Indices, query_y: Indices) -> EpisodeGrid:
    """Assign each example a cell: a row per class, in blocks for many classes.

    Args:
        support_y: Class of each support example; shape (support,), empty where the
            queries are the support's own examples.
        query_y: Class of each query; shape (query,).
    """
    classes = sorted({int(k) for k in (*support_y, *query_y)})
    shots = max((int((support_y == k).sum()) for k in classes), default=0)
    asked = max((int((query_y == k).sum()) for k in classes), default=0)
    first = NAMES + (shots + SPLIT if shots else 0)  # no support needs no gap
    across = first + asked
    blocks = _count_blocks(len(classes), across)
    deep = math.ceil(len(classes) / blocks) if classes else 1
    pitch = across + BETWEEN
    corner = {k: (pitch * (i // deep), float(i % deep)) for i, k in enumerate(classes)}
    names = np.array([[x, y] for x, y in corner.values()]).reshape(-1, 2)
    return EpisodeGrid(
        support=_cell_corners(support_y, corner, NAMES),
        query=_cell_corners(query_y, corner, first),
        names=names,
        width=pitch * blocks - BETWEEN,
        height=float(deep),
    )


def _count_blocks(classes: int, across: float) -> int:
    """Return the number of blocks that classes are split into, for a wide sheet."""
    for blocks in range(1, max(classes, 2)):
        if across * blocks >= 1.6 * math.ceil(classes / blocks):
            return blocks
    return max(classes, 1)


def _cell_corners(
    y: Indices, corner: Mapping[int, tuple[float, float]], offset: float
) -> Floats:
    seen: dict[int, int] = {}
    cells = []
    for k in y:
        nth = seen[int(k)] = seen.get(int(k), -1) + 1
        left, top = corner[int(k)]
        cells.append((left + offset + nth, top))
    return np.array(cells, dtype=np.float64).reshape(-1, 2)
