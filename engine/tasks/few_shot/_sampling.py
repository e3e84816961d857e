"""Episodes from classes: which examples are support, which are queries."""

from typing import NamedTuple

import numpy as np

from engine.protocol import Episode


def make_episode(
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

    def to_columns(some: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(some.reshape(-1, some.shape[2]).T)

    label = np.arange(ways)
    return Episode(
        x=to_columns(support),
        y=np.repeat(label, shots),
        held_x=to_columns(query),
        held_y=np.repeat(label, each - shots),
        outputs=ways,
        shape=shape,
        ids=np.repeat(ids, shots),
        held_ids=np.repeat(ids, each - shots),
        known_classes=known,
    )


class EpisodeIndices(NamedTuple):
    """Which examples of which way an episode has, its support in front.

    Args:
        way: Of each example; shape (example,).
        place: Which of that way's examples it is; shape (example,).
        support: How many of them are support; the rest are queries.
    """

    way: np.ndarray
    example: np.ndarray
    support_count: int


def pick_examples(
    counts: np.ndarray, queries: int, order: np.ndarray
) -> EpisodeIndices:
    """Pick support from the front and queries from the back of each way's examples.

    Args:
        counts: How many support examples each way has; shape (way,).
        queries: How many queries each way has.
        order: The examples of each way in an order drawn anew; shape (way, example),
            with `counts + queries` examples or more.
    """
    ways, each = order.shape
    total = int(counts.sum())
    front = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    back = np.arange(ways * queries) % queries + each - queries
    label = np.arange(ways)
    way = np.concatenate([label.repeat(counts), label.repeat(queries)])
    return EpisodeIndices(way, order[way, np.concatenate([front, back])], total)


def support_counts(
    draw: np.random.Generator, ways: int, shots: int, most: int, balance: str
) -> np.ndarray:
    """Return how many support examples each way has: ways × shots in all.

    Args:
        draw: Random numbers; none are used where classes are balanced.
        ways: Number of classes.
        shots: Examples of each class, or their mean.
        most: How many a class can have.
        balance: "balanced", or "uneven": one of each class, the rest by shares that
            are drawn evenly from all possible ones.
    """
    if balance == "balanced":
        return np.full(ways, shots)
    share = draw.dirichlet(np.ones(ways))
    drawn = 1 + draw.multinomial(ways * (shots - 1), share)
    counts = np.minimum(drawn, most)
    for _ in range(int((drawn - counts).sum())):
        counts[counts.argmin()] += 1
    return counts


def image_episode(
    images: np.ndarray, picks: EpisodeIndices, ids: np.ndarray, known: int
) -> Episode:
    """Make an episode of gray images; bytes become numbers from 0 to 1.

    Args:
        images: uint8, or float32 in [0, 1]; shape (example, side, side).
        picks: Which way each of them is of.
        ids: Which class of its pool each way is; shape (way,).
        known: How many classes the pool of meta-training has.
    """
    cut = picks.support_count
    of = ids[picks.way]
    return Episode(
        x=_to_float(images[:cut]),
        y=picks.way[:cut],
        held_x=_to_float(images[cut:]),
        held_y=picks.way[cut:],
        outputs=len(ids),
        shape=(1, *images.shape[1:]),
        ids=of[:cut],
        held_ids=of[cut:],
        known_classes=known,
    )


def _to_float(images: np.ndarray) -> np.ndarray:
    """Turn bytes into float32 in [0, 1]; shape (pixel, example)."""
    flat = np.ascontiguousarray(images.reshape(len(images), -1).T)
    if images.dtype != np.uint8:
        return flat
    return np.multiply(flat, np.float32(1 / 255), dtype=np.float32)
