"""Sampling of episodes: which examples of a class are support, which are queries."""

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
    """Make an episode of sampled examples, all of them distinct.

    Args:
        points: Examples of each class, float32; shape (way, example, feature). The
            order of the classes is that of the labels, so it must be random.
        ids: Class in the pool of each way; shape (way,).
        shots: Support examples of each class; the rest are queries.
        shape: Shape of one example.
        known: Number of classes in the meta-training pool.
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
    """The examples of an episode, the support first.

    Args:
        way: Label of each example; shape (example,).
        example: Number of each among its class's examples; shape (example,).
        support_count: Number of support examples; the rest are queries.
    """

    way: np.ndarray
    example: np.ndarray
    support_count: int


def pick_examples(
    counts: np.ndarray, queries: int, order: np.ndarray
) -> EpisodeIndices:
    """Pick support from the front and queries from the back of each way's examples.

    So more shots change neither the queries nor the first shots.

    Args:
        counts: Support examples of each way; shape (way,).
        queries: Queries of each way.
        order: Examples of each way in random order, at least `counts + queries` of
            them; shape (way, example).
    """
    ways, each = order.shape
    total = int(counts.sum())
    # 0, 1, … within each way, although ways differ in their number of shots.
    front = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    back = np.arange(ways * queries) % queries + each - queries
    label = np.arange(ways)
    way = np.concatenate([label.repeat(counts), label.repeat(queries)])
    return EpisodeIndices(way, order[way, np.concatenate([front, back])], total)


def support_counts(
    draw: np.random.Generator, ways: int, shots: int, most: int, balance: str
) -> np.ndarray:
    """Return the number of support examples of each way: ways × shots in all.

    Args:
        draw: Random numbers; none are used for balanced classes.
        ways: Number of classes.
        shots: Examples per class, or their mean.
        most: Largest number that a class can have.
        balance: "balanced", or "uneven": one of each class, the rest by shares from a
            flat Dirichlet distribution.

    Returns:
        Shape (way,).
    """
    if balance == "balanced":
        return np.full(ways, shots)
    share = draw.dirichlet(np.ones(ways))
    drawn = 1 + draw.multinomial(ways * (shots - 1), share)
    counts = np.minimum(drawn, most)
    # What exceeds a class's limit goes to the smallest classes, one by one.
    for _ in range(int((drawn - counts).sum())):
        counts[counts.argmin()] += 1
    return counts


def image_episode(
    images: np.ndarray, picks: EpisodeIndices, ids: np.ndarray, known: int
) -> Episode:
    """Make an episode of gray images; bytes become numbers from 0 to 1.

    Args:
        images: uint8, or float32 in [0, 1]; shape (example, side, side).
        picks: Label of each image; the support comes first.
        ids: Class in the pool of each way; shape (way,).
        known: Number of classes in the meta-training pool.
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
