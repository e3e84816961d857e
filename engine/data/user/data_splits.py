"""Splits that the user's data bring: pools of rows, and groups that are shifted."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from engine.contract.errors import Refused
from engine.data.sources.supervised_table import DataTable
from engine.data.user.class_splits import POOLS
from engine.data.user.columns import parse_number

WORDS = {
    "train": "train training trn fit background images_background",
    "validation": "validation valid val dev development tuning",
    "test": "test testing tst eval evaluation holdout held-out novel images_evaluation",
}
_POOL_OF = {word: pool for pool, words in WORDS.items() for word in words.split()}
GROUPS = 50  # most groups of a shift


def pool_of_word(word: str) -> str:
    """Return the pool that a word means; empty if it means none.

    >>> pool_of_word("Val"), pool_of_word("cats")
    ('validation', '')
    """
    return _POOL_OF.get(word.strip().casefold().replace("_set", ""), "")


def pool_word(cell: str) -> str:
    """Return the pool of a row from its cell in the split column; empty if none.

    Raises:
        Refused: If the cell has another word.
    """
    found = pool_of_word(cell)
    if cell.strip() and not found:
        raise Refused(
            f"the split column has {cell.strip()[:40]!r}; its cells must be train, "
            "validation or test",
            "split",
        )
    return found


def pool_numbers(words: Sequence[str], x: np.ndarray) -> np.ndarray:
    """Return the pool of each row: 0, 1, 2, or −1 for rows that belong to none.

    Rows whose inputs are in an earlier pool belong to none.

    Args:
        words: Cells of the split column, by row.
        x: Inputs; shape (row, feature).

    Raises:
        Refused: If there are no rows for training or none for tests.
    """
    numbers = np.array([POOLS.index(w) if (w := pool_word(c)) else -1 for c in words])
    for pool, name in ((0, "training"), (2, "tests")):
        if not (numbers == pool).any():
            raise Refused(f"the split column has no rows for {name}", "split")
    first: dict[bytes, int] = {}
    for at in np.argsort(np.where(numbers < 0, 9, numbers), kind="stable"):
        row = np.ascontiguousarray(x[at] + 0.0).tobytes()
        if first.setdefault(row, int(numbers[at])) != numbers[at]:
            numbers[at] = -1
    return numbers


def fill_validation(
    pool: np.ndarray, item: np.ndarray, label: np.ndarray
) -> np.ndarray:
    """Return pools with validation: a third of the training items, where there is none.

    Args:
        pool: 0 for training, 1 for validation, 2 for tests, −1 for none; shape (row,).
        item: What stays together, such as equal rows, numbered; shape (row,).
        label: The class, of each of which a third is taken; shape (row,).

    >>> one = np.zeros(4, int)
    >>> np.bincount(fill_validation(one, np.arange(4), one)).tolist()
    [3, 1]
    """
    if (pool == 1).any() or not (pool == 0).any():
        return pool
    # Key 0, always: the split must not depend on a run's seed.
    draw = np.random.Generator(np.random.Philox(key=0))
    training = np.flatnonzero(pool == 0)
    items, first = np.unique(item[training], return_index=True)
    chosen: list[int] = []
    for each in np.unique(label[training]):
        mine = draw.permutation(items[label[training][first] == each])
        chosen += mine[: round(len(mine) / 3)].tolist()
    return np.where((pool == 0) & np.isin(item, chosen), 1, pool)


def group_distances(
    names: Sequence[str], counts: Sequence[int], train_on: str, by: str
) -> dict[str, float]:
    """Return how far each group is from that of training, which has 0.

    Args:
        names: Names of the groups.
        counts: Rows of each.
        train_on: The group of training; empty takes the smallest number, or, where the
            names are no numbers, the group with most rows.
        by: "distance" of the numbers, or "order" of the names.

    Raises:
        Refused: If that group is missing, or if there is no distance between names.

    >>> group_distances(("2019", "2021", "2020"), (9, 9, 9), "", "distance")
    {'2019': 0.0, '2020': 1.0, '2021': 2.0}
    """
    numbers = {name: parse_number(name) for name in names}
    numeric = None not in numbers.values()
    order = sorted(names, key=lambda n: (numbers[n], n) if numeric else (0.0, n))
    most = dict(zip(names, counts, strict=True))
    usual = order[0] if numeric else max(order, key=lambda name: most[name])
    start = train_on or usual
    if start not in most:
        raise Refused(
            f"the shift column has no {start[:40]!r}; it has: {', '.join(order[:12])}",
            "train_on",
        )
    if by == "distance" and not numeric:
        raise Refused(
            "there is no distance between words; shift by order instead", "shift_by"
        )
    if by == "distance":
        middle = numbers[start] or 0.0
        return {name: abs((numbers[name] or 0.0) - middle) for name in order}
    others = [name for name in order if name != start]
    return {start: 0.0} | {name: at + 1.0 for at, name in enumerate(others)}


@lru_cache(maxsize=64)
def rows_apart(table: DataTable, train_on: str, by: str, away: float) -> DataTable:
    """Return the rows of the groups that are this far from the group of training.

    Args:
        table: The whole table, with groups; tables are hashed by identity.
        train_on: The group of training, or empty.
        by: "distance" or "order".
        away: How far; 0 for the rows of training.

    Raises:
        Refused: If no group is that far.
    """
    distances = table_distances(table, train_on, by)
    chosen = [name for name, far in distances.items() if far == away]
    if not chosen:
        listed = ", ".join(f"{far:g}" for far in sorted(set(distances.values())))
        raise Refused(f"no group is {away:g} from that of training: {listed}", "shift")
    assert table.group is not None
    kept = np.isin(table.group, [table.groups.index(name) for name in chosen])
    # Other groups have never been trained on: all their rows are for tests.
    pool = np.full(int(kept.sum()), 2) if away else table.pool
    if pool is not None and not away:
        pool = pool[kept]
    return DataTable(table.x[kept], table.y[kept], table.classes, pool)


def table_distances(table: DataTable, train_on: str, by: str) -> dict[str, float]:
    """Return how far each group of a table is from that of training.

    Args:
        table: The whole table, with groups.
        train_on: The group of training, or empty.
        by: "distance" or "order".

    Raises:
        Refused: As `group_distances`.
    """
    assert table.group is not None
    counts = np.bincount(table.group, minlength=len(table.groups)).tolist()
    return group_distances(table.groups, counts, train_on, by)


def classes_by_pool(table: DataTable) -> tuple[str, ...]:
    """Return the pool of each class; empty if the table has no split of its own.

    Args:
        table: A table with classes.

    Raises:
        Refused: If a class has rows of two pools.
    """
    if table.pool is None:
        return ()
    found = []
    for number, name in enumerate(table.classes):
        pools = {p for p in table.pool[table.y == number].tolist() if p >= 0}
        if len(pools) > 1:
            words = " and ".join(POOLS[p] for p in sorted(pools))
            raise Refused(
                f"class {name[:40]!r} has rows for {words}; in few-shot tasks each "
                "class is for one of them: leave out the split column",
                "split",
            )
        found.append(next(iter(pools), -1))
    return name_pools(found)


def name_pools(numbers: Sequence[int]) -> tuple[str, ...]:
    """Return the names of pools; some of training are for validation if none is."""
    whole = fill_validation(
        np.array(numbers), np.arange(len(numbers)), np.zeros(len(numbers), np.int64)
    )
    return tuple(POOLS[p] if p >= 0 else "" for p in whole.tolist())
