"""A table of real data: rows of numbers, and one answer to each."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DataTable:
    """Rows and their answers; compared and hashed by identity.

    Args:
        x: Inputs; shape (row, feature); NaN where a cell is empty.
        y: int64 numbers of classes, or float64 values; shape (row,).
        classes: Names of the classes, by number; none for values.
    """

    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Return how many rows there are."""
        return len(self.x)

    @property
    def features(self) -> int:
        """Return how many inputs each row has."""
        return int(self.x.shape[1])

    @property
    def answers(self) -> str:
        """Return what is asked: "classes" or "value"."""
        return "classes" if self.classes else "value"


def distinct_row_counts(table: DataTable) -> list[int]:
    """Return how many different rows each class has."""
    return [
        len(np.unique(table.x[table.y == number], axis=0))
        for number in range(len(table.classes))
    ]
