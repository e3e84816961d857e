"""A supervised data set as arrays: numeric inputs, and class labels or values."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DataTable:
    """Inputs and answers, row by row; compared and hashed by identity.

    Args:
        x: Inputs; shape (row, feature); NaN where a cell is empty.
        y: int64 class indices, or float64 values; shape (row,).
        classes: Names of the classes, by index; empty for regression.
        pool: Where the file has a split of its own: 0 for training, 1 for validation, 2
            for tests, −1 for none; shape (row,).
        group: Where the file has groups of another distribution: index of each row's;
            shape (row,).
        groups: Their names.
    """

    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...] = ()
    pool: np.ndarray | None = None
    group: np.ndarray | None = None
    groups: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.x)

    @property
    def features(self) -> int:
        """Return the number of inputs per row."""
        return int(self.x.shape[1])

    @property
    def answers(self) -> str:
        """Return the kind of answers: "classes" or "value"."""
        return "classes" if self.classes else "value"


def distinct_row_counts(table: DataTable) -> list[int]:
    """Return the number of distinct rows of each class, by index.

    Args:
        table: A table with classes.
    """
    return [
        len(np.unique(table.x[table.y == number], axis=0))
        for number in range(len(table.classes))
    ]
