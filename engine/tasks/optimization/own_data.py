"""Own data: tasks from a CSV file of your own.

Source: the file, stored under its sha256; a run on another machine asks for it.
Differs: rows are divided once into three pools, copies of a row together; each task
draws classes, features and rows from its pool, and standardizes by its training rows.
Helps: to see whether what was learned elsewhere is useful on your own problem.
"""

from typing import ClassVar, Literal

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.data.sources.supervised_table import DataTable
from engine.data.user.target_selection import TargetOptions, load_own_table
from engine.tasks import knobs
from engine.tasks.optimization._row_pools import split_table
from engine.tasks.optimization._tables import TableFamily


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
    features: int = knobs.features(0, high=200)

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
        choices = TargetOptions(
            self.target, self.predict, self.text, self.empty, self.rare
        )
        return load_own_table(self.digest, choices)
