"""Split of the user's classes into pools, and the episode sizes they allow."""

from collections.abc import Sequence

POOLS = ("train", "validation", "test")
LEAST = 6  # classes: enough for three pools of two


def pool_sizes(classes: int) -> tuple[int, int, int]:
    """Return the number of classes for training, validation and test.

    Args:
        classes: Number of classes, at least 6.

    >>> pool_sizes(20)
    (10, 5, 5)
    """
    apart = max(2, round(classes / 4))
    return classes - 2 * apart, apart, apart


def episode_sizes(
    counts: Sequence[int], pools: Sequence[str] = ()
) -> dict[str, int | str]:
    """Return use, ways, shots and queries that every pool of these classes allows.

    Args:
        counts: Number of distinct examples per class, each at least 2.
        pools: The pool of each class, where the data bring a split of their own.

    Returns:
        Knobs of a few-shot family; `use` is "target" (test only) for few classes.

    >>> episode_sizes([9, 7, 8])
    {'use': 'target', 'ways': 3, 'shots': 2, 'queries': 5}
    """
    enough = len(counts) >= LEAST
    most = min(pool_sizes(len(counts))) if enough else len(counts)
    if pools:
        most = min(list(pools).count(pool) for pool in POOLS)
        enough = most >= 2
        most = most if enough else len(counts)
    least = min(counts)
    shots = min(5, max(1, least // 3))
    return {
        "use": "split" if enough else "target",
        "ways": min(5, most),
        "shots": shots,
        "queries": min(15, least - shots),
    }
