"""Real rows are divided once: into meta-train, validation and test pools.

The division depends on the table alone, never on a knob or a seed, so that no row
that was learned on is ever tested on. Rows with the same inputs stay together.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.sources.data_table import DataTable
from engine.protocol import generator

SHARES = {"train": 0.4, "validation": 0.3, "test": 0.3}
LEAST = 2


@dataclass(frozen=True, eq=False)
class RowPool:
    """Some rows of a table.

    Args:
        rows: Numbers of the table's rows; shape (row,).
        labels: Their classes; all 0 where answers are values.
        group: Equal for rows with the same inputs; 0 … groups − 1.
    """

    rows: np.ndarray
    labels: np.ndarray
    group: np.ndarray

    @property
    def groups(self) -> int:
        """Return how many different rows there are."""
        return int(self.group.max()) + 1 if len(self.group) else 0

    def counts(self, classes: int) -> np.ndarray:
        """Return how many rows each class has."""
        return np.bincount(self.labels, minlength=classes)

    def largest_group(self) -> int:
        """Return how often the most frequent row is there."""
        return int(np.bincount(self.group).max(initial=1))


@dataclass(frozen=True, eq=False)
class TableSplit:
    """A table's pools, and the classes that every pool has enough rows of."""

    pools: dict[str, RowPool]
    usable: np.ndarray


@lru_cache(maxsize=8)
def split_table(table: DataTable) -> TableSplit:
    """Divide a table's rows, class by class, rows with the same inputs together.

    Raises:
        Refused: If fewer than two classes have enough rows in every pool.
    """
    group = number_rows(table.x)
    labels = table.y if table.classes else np.zeros(table.rows, np.int64)
    pool_of = _pool_of_groups(group, labels)[group]
    pools = {}
    for place, name in enumerate(SHARES):
        rows = np.flatnonzero(pool_of == place)
        _, inverse = np.unique(group[rows], return_inverse=True)
        pools[name] = RowPool(rows, labels[rows], inverse)
    return TableSplit(pools, _usable_classes(table, pools))


def number_rows(x: np.ndarray) -> np.ndarray:
    """Number the different rows in their order of appearance.

    >>> number_rows(np.array([[1.0], [2.0], [1.0]])).tolist()
    [0, 1, 0]
    """
    seen: dict[bytes, int] = {}
    plain = np.ascontiguousarray(x + 0.0)  # −0 becomes 0
    each = [seen.setdefault(row.tobytes(), len(seen)) for row in plain]
    return np.array(each, dtype=np.int64)


def _pool_of_groups(group: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Give each group a pool: 0, 1 or 2; shares hold within each class."""
    firsts = np.unique(group, return_index=True)[1]
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
            "every pool; at least 2 must, which takes 6 rows or more of a class"
        )
    return usable


def _distinct_counts(pool: RowPool, classes: int) -> np.ndarray:
    """Return how many different rows each class has in a pool."""
    pairs = np.unique(np.stack([pool.labels, pool.group]), axis=1)
    return np.bincount(pairs[0], minlength=classes)
