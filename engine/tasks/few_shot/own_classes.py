"""Own classes: episodes from a CSV file of your own.

Source: the file, stored under its sha256; a run on another machine asks for it.
Differs: the split of the classes is fixed; duplicate rows within a class are dropped.
Columns are standardized by the rows of the training classes or, where all classes are
for tests, by each support.
Helps: to see whether new classes of your own problem can be learned from a few rows.
"""

from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.user.data_splits import classes_by_pool
from engine.data.user.target_selection import TargetOptions, load_own_table
from engine.protocol import Episode, generator
from engine.tasks.few_shot._user_data import (
    ClassUse,
    OwnFamily,
    UserClasses,
    class_pools,
    draw_indices,
)
from engine.tasks.optimization._row_pools import number_rows
from engine.tasks.optimization._tables import standardize_columns


@register("family")
class OwnClasses(OwnFamily):
    """x: a row's numbers, standardized; y: which of N classes drawn from its pool."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})

    digest: str = knob(
        "", label="File", help="sha256 of the file; adding a file fills it in."
    )
    target: str = knob(
        "", label="Target column", help="Column with the classes to predict."
    )
    text: Literal["refuse", "drop"] = knob(
        "refuse",
        label="Columns that are not numbers",
        help="Refuse the file, or drop these columns: dates, names, comments.",
    )
    empty: Literal["refuse", "drop", "mean"] = knob(
        "refuse",
        label="Empty cells",
        help="Refuse the file, drop these rows, or impute the column's mean.",
    )
    rare: Literal["refuse", "drop"] = knob(
        "refuse",
        label="Rare classes",
        help="Refuse classes with fewer than 6 rows, or drop them.",
    )

    split: str = knob(
        "",
        label="Split column",
        help="Column that says which classes are for train, validation and test; empty "
        "divides them at random.",
        before="",
        advanced=True,
    )

    def classes(self) -> UserClasses:
        """Return the file's classes."""
        return self._rows().classes

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose classes of the pool, then rows of each."""
        draw = generator(rng.child("data"))
        picks, ids = draw_indices(self, draw, pool)
        found, cut, of = self._rows(), picks.support_count, ids[picks.way]
        x, held_x = found.x[picks.example[:cut]], found.x[picks.example[cut:]]
        if self.use == "target":
            x, held_x = standardize_columns(x, held_x)
        return Episode(
            x=np.ascontiguousarray(x.T, np.float32),
            y=picks.way[:cut],
            held_x=np.ascontiguousarray(held_x.T, np.float32),
            held_y=picks.way[cut:],
            outputs=self.ways,
            shape=(x.shape[1],),
            ids=of[:cut],
            held_ids=of[cut:],
            known_classes=self.known_classes(),
        )

    def _rows(self) -> "_Rows":
        choices = TargetOptions(
            self.target, "classes", self.text, self.empty, self.rare, self.split
        )
        return _load_rows(self.digest, choices, self.use)


class _Rows(NamedTuple):
    """The file's rows, standardized if there are training classes."""

    classes: UserClasses
    x: np.ndarray


@lru_cache(maxsize=4)
def _load_rows(digest: str, choices: TargetOptions, use: ClassUse) -> _Rows:
    table = load_own_table(digest, choices)
    copies = number_rows(np.column_stack([table.x, table.y]))
    # The first of each set of identical rows; equal rows of two classes both stay.
    first = np.unique(copies, return_index=True)[1]
    members = tuple(
        np.sort(first[table.y[first] == number]) for number in range(len(table.classes))
    )
    own = UserClasses(table.classes, members, "rows", classes_by_pool(table))
    # Without training classes, each episode standardizes by its own support.
    if use == "target":
        return _Rows(own, table.x)
    training = class_pools(own, use)["train"].members
    known = np.concatenate([members[number] for number in training])
    return _Rows(own, standardize_columns(table.x[known], table.x)[1])
