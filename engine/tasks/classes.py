"""Episodes from classes: which examples are support, which are queries."""

import numpy as np

from engine.protocol import Episode


def episode_of(
    points: np.ndarray,
    ids: np.ndarray,
    shots: int,
    shape: tuple[int, ...],
    known: int,
) -> Episode:
    """Make an episode of drawn examples, all of them different.

    Args:
        points: Examples of each class, float32; shape (way, example, feature). The
            order of the classes is that of the labels, so draw it anew.
        ids: Which class of its pool each way is; shape (way,).
        shots: How many examples of each class are support; the rest are queries.
        shape: Of one example.
        known: How many classes the pool of meta-training has.
    """
    ways, each = points.shape[:2]
    support, query = points[:, :shots], points[:, shots:]

    def rows(some: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(some.reshape(-1, some.shape[2]).T)

    label = np.arange(ways)
    return Episode(
        x=rows(support),
        y=np.repeat(label, shots),
        held_x=rows(query),
        held_y=np.repeat(label, each - shots),
        outputs=ways,
        shape=shape,
        ids=np.repeat(ids, shots),
        held_ids=np.repeat(ids, each - shots),
        known=known,
    )
