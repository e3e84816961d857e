"""Split of real rows into meta-training, validation and test pools.

The split depends on the table alone, never on a knob or a seed, so that no row of
meta-training is ever tested on. Rows with the same inputs stay together. A table may
bring a split of its own.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.sources.supervised_table import DataTable
from engine.data.user.data_splits import fill_validation
from engine.protocol import generator

SHARES = {"train": 0.4, "validation": 0.3, "test": 0.3}
LEAST = 2  # distinct rows of a class that every pool needs: one to train, one held out


@dataclass(frozen=True, eq=False)
class RowPool:
    """Some rows of a table.

    Args:
        rows: Row numbers in the table; shape (row,).
        labels: Their classes, all 0 for regression; shape (row,).
        group: From 0 to groups − 1, equal for rows with the same inputs; shape (row,).
    """

    rows: np.ndarray
    labels: np.ndarray
    group: np.ndarray

    @property
    def groups(self) -> int:
        """Return the number of distinct rows."""
        return int(self.group.max()) + 1 if len(self.group) else 0

    def counts(self, classes: int) -> np.ndarray:
        """Return the number of rows of each class; shape (class,)."""
        return np.bincount(self.labels, minlength=classes)

    def largest_group(self) -> int:
        """Return the multiplicity of the most frequent row."""
        return int(np.bincount(self.group).max(initial=1))


@dataclass(frozen=True, eq=False)
class TableSplit:
    """A table's pools, and the classes with enough rows in every pool."""

    pools: dict[str, RowPool]
    usable: np.ndarray


@lru_cache(maxsize=8)
def split_table(table: DataTable) -> TableSplit:
    """Split a table's rows, class by class, rows with the same inputs together.

    Args:
        table: The whole table; tables are hashed by identity.

    Raises:
        Refused: If fewer than two classes have enough rows in every pool.
    """
    group = number_rows(table.x)
    labels = table.y if table.classes else np.zeros(table.rows, np.int64)
    if table.pool is None:
        pool_of = _pool_of_groups(group, labels)[group]
    else:
        pool_of = fill_validation(table.pool, group, labels)
    pools = {}
    for place, name in enumerate(SHARES):
        rows = np.flatnonzero(pool_of == place)
        if table.pool is not None and not len(rows):
            continue  # rows of another distribution are all for tests
        _, inverse = np.unique(group[rows], return_inverse=True)
        pools[name] = RowPool(rows, labels[rows], inverse)
    return TableSplit(pools, _usable_classes(table, pools))


def number_rows(x: np.ndarray) -> np.ndarray:
    """Number the distinct rows in their order of appearance.

    Args:
        x: Shape (row, feature).

    Returns:
        Equal numbers for equal rows, from 0; shape (row,).

    >>> number_rows(np.array([[1.0], [2.0], [1.0]])).tolist()
    [0, 1, 0]
    """
    seen: dict[bytes, int] = {}
    plain = np.ascontiguousarray(x + 0.0)  # −0 becomes 0
    each = [seen.setdefault(row.tobytes(), len(seen)) for row in plain]
    return np.array(each, dtype=np.int64)


def _pool_of_groups(group: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Assign each group to a pool (0, 1 or 2), stratified by class."""
    # A group's class is that of its first row; noisy tables may have others in it.
    firsts = np.unique(group, return_index=True)[1]
    # Seed 0, always: the split must not depend on a run's seed.
    shuffled = generator(Rng(0).child("pools")).permutation(len(firsts))
    edges = np.cumsum(list(SHARES.values()))[:-1]
    pool = np.zeros(len(firsts), np.int64)
    for label in np.unique(labels):
        mine = shuffled[labels[firsts[shuffled]] == label]
        cuts = np.round(edges * len(mine)).astype(int)
        for place, some in enumerate(np.split(mine, cuts)):
            pool[some] = place
    return pool


def _usable_classes(table: DataTable, pools: dict[str, RowPool]) -> np.ndarray:
    if not table.classes:
        return np.zeros(1, np.int64)
    count = len(table.classes)
    different = [_distinct_counts(pool, count) for pool in pools.values()]
    usable = np.flatnonzero(np.min(different, axis=0) >= LEAST)
    if len(usable) < 2:
        raise Refused(
            f"only {len(usable)} of {count} classes have {LEAST} different rows in "
            "every pool; at least 2 classes must, which takes 6 or more rows per class"
        )
    return usable


def _distinct_counts(pool: RowPool, classes: int) -> np.ndarray:
    """Return the number of distinct rows of each class in a pool; shape (class,)."""
    pairs = np.unique(np.stack([pool.labels, pool.group]), axis=1)
    return np.bincount(pairs[0], minlength=classes)
