"""How a person's classes are divided into pools, and which episodes they can give."""

from collections.abc import Sequence

LEAST = 6  # classes that make three pools of two


def pool_sizes(classes: int) -> tuple[int, int, int]:
    """Return how many classes are for training, validation and tests.

    >>> pool_sizes(20)
    (10, 5, 5)
    """
    apart = max(2, round(classes / 4))
    return classes - 2 * apart, apart, apart


def episode_sizes(counts: Sequence[int]) -> dict[str, int | str]:
    """Return a use, ways, shots and queries that classes can surely give.

    Args:
        counts: How many different examples each class has, at least 2.

    >>> episode_sizes([9, 7, 8])
    {'use': 'target', 'ways': 3, 'shots': 2, 'queries': 5}
    """
    enough = len(counts) >= LEAST
    most = min(pool_sizes(len(counts))) if enough else len(counts)
    least = min(counts)
    shots = min(5, max(1, least // 3))
    return {
        "use": "split" if enough else "target",
        "ways": min(5, most),
        "shots": shots,
        "queries": min(15, least - shots),
    }
