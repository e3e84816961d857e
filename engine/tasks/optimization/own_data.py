"""Own data: tasks from a CSV file of your own.

Source: the file, stored under its sha256; a run on another machine asks for it.
Differs: rows are divided once into three pools, copies of a row together, or as a
column of the file says; each task draws classes, features and rows from its pool, and
standardizes by its training rows. With a shift column, training sees one of its groups.
Helps: to see whether what was learned elsewhere is useful on your own problem.
"""

from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from pydantic import PrivateAttr

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources.supervised_table import DataTable
from engine.data.user.data_splits import rows_apart, table_distances
from engine.data.user.target_selection import TargetOptions, load_own_table
from engine.protocol import Sample
from engine.tasks import knobs
from engine.tasks.optimization._row_pools import split_table
from engine.tasks.optimization._tables import TableFamily, smallest_pool

LEAST_POINTS = 6  # the fewest training and held-out points of a task, together


@register("family")
class OwnData(TableFamily):
    """x: features sampled per task, standardized; y: a class or standardized value."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    needs_file: ClassVar[bool] = True

    digest: str = knob(
        "", label="File", help="sha256 of the file; adding a file fills it in."
    )
    target: str = knob(
        "", label="Target column", help="Column with the targets to predict."
    )
    predict: Literal["classes", "value"] = knob(
        "classes",
        label="Predict",
        help="Classes (the column is read as text), or a numeric value.",
    )
    text: Literal["refuse", "drop"] = knob(
        "refuse",
        label="Columns that are not numbers",
        help="Refuse the file, or drop these columns: dates, names, comments.",
    )
    empty: Literal["refuse", "drop", "mean"] = knob(
        "refuse",
        label="Empty cells",
        help="Refuse the file, drop these rows, or impute the training rows' mean.",
    )
    rare: Literal["refuse", "drop"] = knob(
        "refuse",
        label="Rare classes",
        help="Refuse classes with too few rows for three pools, or drop them.",
    )
    classes: int = knob(
        0,
        label="Classes",
        unit="classes",
        low=0,
        high=100,
        help="Classes per task, sampled afresh; 0 takes all. Not for regression.",
    )
    examples: int = knobs.examples(48)
    held_out: int = knobs.held_out(24)
    features: int = knobs.features(0, high=1000)
    split: str = knob(
        "",
        label="Split column",
        help="Column that says which rows are for train, validation and test; empty "
        "divides the rows at random.",
        before="",
        advanced=True,
    )
    shift: str = knob(
        "",
        label="Shift column",
        help="Column, such as a year or a region, of which meta-training sees one "
        "group; the shift 'other group' tests on the others.",
        before="",
        advanced=True,
    )
    train_on: str = knob(
        "",
        label="Group of training",
        help="Its cell in the shift column; empty takes the smallest number, or the "
        "most frequent word.",
        before="",
        advanced=True,
    )
    shift_by: Literal["order", "distance"] = knob(
        "order",
        label="Groups are apart by",
        help="The order of their names (1 is the first other group), or the distance "
        "of numbers, such as years.",
        before="order",
        advanced=True,
    )
    # How far the rows are from the group of training; no knob, as only tests differ.
    _away: float = PrivateAttr(0.0)

    def answer_kind(self) -> str:
        """Return "classes" or "value", as the knob says."""
        return self.predict

    def check(self) -> None:
        """Check that the file is there and that the knobs fit it."""
        table = self.table()
        left = len(table.classes) - len(split_table(table).usable)
        if table.classes and left and self.rare == "refuse":
            raise Refused(
                f"{left} of {len(table.classes)} classes have too few different rows "
                "for three pools; leave rare classes out, or choose another column",
                "rare",
            )
        super().check()

    def table(self) -> DataTable:
        """Return the file's rows, read as the knobs say."""
        table = self._whole_table()
        if not self.shift:
            return table
        return _rows_apart(table, self.train_on, self.shift_by, self._away)

    def move_away(self, far: float) -> "OwnData":
        """Return the family whose rows are those of the groups at a distance.

        All of them are for tests, whichever pool is asked for.

        Args:
            far: How far they are from the group of training; 0 for that group.
        """
        other = self.model_copy()
        other._away = far
        return other

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw classes, rows and features from a pool; see `draw_rows`."""
        return super().sample(rng, "test" if self._away else pool)

    def distances(self) -> list[float]:
        """Return how far the groups of the shift column are from that of training.

        Those whose rows are too few for a task are left out; empty without such a
        column.
        """
        if not self.shift:
            return []
        found = table_distances(self._whole_table(), self.train_on, self.shift_by)
        apart = sorted({far for far in found.values() if far})
        return [far for far in apart if self._fits(far)]

    def fit_points(self) -> dict[str, int]:
        """Return knobs for the numbers of points that fit all groups of the file."""
        sizes = super().fit_points()
        for far in self.distances():
            there = self.model_copy(update=sizes).move_away(far)
            sizes |= super(OwnData, there).fit_points()
        return sizes

    def _fits(self, far: float) -> bool:
        """Return whether a task of the smallest size can be drawn at a distance."""
        try:
            table = self.move_away(far).table()
            _, most = smallest_pool(table, self.table_sampling())
        except Refused:
            return False
        return most >= LEAST_POINTS

    def _whole_table(self) -> DataTable:
        choices = TargetOptions(
            self.target,
            self.predict,
            self.text,
            self.empty,
            self.rare,
            self.split,
            self.shift,
        )
        return load_own_table(self.digest, choices)


@lru_cache(maxsize=64)
def _rows_apart(table: DataTable, train_on: str, by: str, away: float) -> DataTable:
    """Return the rows at a distance, of the classes that training can draw.

    Raises:
        Refused: If there are none, or if a class has too few of them.
    """
    found = rows_apart(table, train_on, by, away)
    if not away or not table.classes:
        return found
    usable = split_table(rows_apart(table, train_on, by, 0.0)).usable
    kept = np.isin(found.y, usable)
    found = DataTable(
        found.x[kept], found.y[kept], found.classes, np.full(kept.sum(), 2)
    )
    lacks = set(usable.tolist()) - set(split_table(found).usable.tolist())
    if lacks:
        name = found.classes[min(lacks)]
        raise Refused(
            f"the group that is {away:g} from that of training has too few rows of "
            f"class {name[:40]!r}",
            "shift",
        )
    return found
