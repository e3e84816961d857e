"""Sentences that explain what a task takes from the user's data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.contract.errors import Refused
from engine.data.sources.supervised_table import DataTable
from engine.data.user.data_splits import table_distances

EXAMPLES, HELD_OUT, LEAST = 48, 24, 6  # usual sizes, and the least of both together
_EDGES = (0.4, 0.7)  # of the pools for training, validation and test


def explain_rows(examples: int, held_out: int, classes: Sequence[str]) -> str:
    """Return what a task takes from a table.

    >>> explain_rows(30, 15, ("a", "b"))
    'a task trains on 30 rows and is judged on 15 others, of 2 classes'
    """
    of = f", of {len(classes):,} classes" if classes else ""
    return (
        f"a task trains on {examples:,} rows and is judged on {held_out:,} others{of}"
    )


def explain_episodes(knobs: Mapping[str, Any]) -> str:
    """Return what an episode takes, from the knobs that `episode_sizes` gives.

    >>> explain_episodes({"use": "split", "ways": 5, "shots": 1, "queries": 15})
    'a task tells 5 classes apart from 1 example of each, and is judged on 15 more'
    """
    noun = "example" if knobs["shots"] == 1 else "examples"
    text = (
        f"a task tells {knobs['ways']} classes apart from {knobs['shots']} {noun} of "
        f"each, and is judged on {knobs['queries']} more"
    )
    if knobs["use"] == "split":
        return text
    return f"{text}; training is on another family, as there are few classes here"


def fit_rows(table: DataTable, train_on: str = "") -> dict[str, int]:
    """Return training and held-out points that every pool of a table is enough for.

    Args:
        table: The rows that a run sees.
        train_on: The group that is trained on, where a column is the shift.

    Raises:
        Refused: If they are too few for a task.
    """
    most = min(_pool_rows(table, rows) for rows in _row_sets(table, train_on))
    if most < LEAST:
        raise Refused(
            f"these rows are too few: the smallest pool has {most}, and a task needs "
            f"{LEAST}; about 40 rows in all are enough",
            "examples",
        )
    if most >= EXAMPLES + HELD_OUT:
        return {"examples": EXAMPLES, "held_out": HELD_OUT}
    classes = max(len(table.classes), 1)
    examples = max(classes, 2 * most // 3, 4)
    return {"examples": examples, "held_out": most - examples}


def _row_sets(table: DataTable, train_on: str) -> list[tuple[np.ndarray, bool]]:
    """Return which rows make each pool set, and whether they are all one pool."""
    if table.group is None:
        return [(np.ones(table.rows, bool), False)]
    distances = table_distances(table, train_on, "order")
    return [
        (table.group == table.groups.index(name), far > 0)
        for name, far in distances.items()
    ]


def _pool_rows(table: DataTable, rows: tuple[np.ndarray, bool]) -> int:
    """Return a number of rows that the smallest pool surely has for a task."""
    mask, is_one = rows
    x = table.x[mask]
    labels = table.y[mask] if table.classes else np.zeros(len(x), np.int64)
    given = table.pool[mask] if table.pool is not None and not is_one else None
    counts = []
    for label in np.unique(labels):
        mine = labels == label
        if given is not None:
            pools = [len(np.unique(x[mine & (given == p)], axis=0)) for p in range(3)]
            if not pools[1]:
                pools[1] = round(pools[0] / 3)
                pools[0] -= pools[1]
        else:
            different = len(np.unique(x[mine], axis=0))
            edges = () if is_one else _EDGES
            cuts = [round(edge * different) for edge in edges]
            pools = np.diff([0, *cuts, different]).tolist()
        counts.append(pools)
    usable = [pools for pools in counts if min(pools) >= 2 or not table.classes]
    return min(map(sum, zip(*usable, strict=True)), default=0)
