"""Checks of an episode: classes, label counts and duplicates of its two sets."""

import numpy as np

from engine.stats.array_types import Floats, Indices


def has_one_class(y: Indices) -> bool:
    """Return whether all labels are of one class, so that nothing is classified.

    Args:
        y: Class indices; shape (example,).

    >>> has_one_class(np.array([1, 1])), has_one_class(np.array([0, 1]))
    (True, False)
    """
    return len(np.unique(y)) < 2


def label_mismatch_p(support: Indices, query: Indices, ways: int) -> float:
    """Return the p-value of support and queries having the same label distribution.

    Args:
        support: Classes of the support; shape (example,).
        query: Classes of the queries; shape (example,).
        ways: How many classes there are.

    Returns:
        The p-value of Pearson's chi-squared test of homogeneity; 1 for one class.

    >>> label_mismatch_p(np.array([0, 1]), np.array([0, 1, 0, 1]), 2)
    1.0
    """
    from scipy.special import chdtrc

    counts = np.stack([np.bincount(y, minlength=ways) for y in (support, query)])
    # A class without examples has no expected count to divide by.
    seen = counts[:, counts.sum(axis=0) > 0].astype(np.float64)
    expected = seen.sum(axis=1, keepdims=True) * seen.sum(axis=0) / seen.sum()
    statistic = float(((seen - expected) ** 2 / expected).sum())
    free = seen.shape[1] - 1
    return float(chdtrc(free, statistic)) if free else 1.0


def count_repeats(support: Floats, query: Floats) -> int:
    """Return how many support examples also occur among the queries, bit for bit.

    Args:
        support: Shape (feature, example).
        query: The same.

    >>> count_repeats(np.array([[1.0, 2.0]]), np.array([[2.0, 3.0]]))
    1
    """
    asked = {column.tobytes() for column in np.ascontiguousarray(query.T)}
    return sum(row.tobytes() in asked for row in np.ascontiguousarray(support.T))
