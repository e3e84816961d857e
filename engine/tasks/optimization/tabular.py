"""Tabular sets: sixteen small real sets of measurements.

Source: the UCI repository, mostly CC BY 4.0; each set's citation is in the pack.
Differs: rows are divided once into three pools; classes with too few rows for all
three are dropped; each task draws features and rows from its pool.
Helps: to transfer an optimizer from one real set to another, quite different one.
"""

from typing import ClassVar, Literal

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.data.sources import data_pack
from engine.data.sources.supervised_table import DataTable
from engine.tasks import knobs
from engine.tasks.optimization._tables import TableFamily

TableName = Literal[
    "banknote",
    "breast_cancer_wdbc",
    "digits8x8",
    "ecoli",
    "haberman",
    "ionosphere",
    "iris",
    "new_thyroid",
    "wheat_seeds",
    "wine_cultivar",
    "abalone",
    "auto_imports_price",
    "diabetes_progression",
    "energy_heating",
    "servo",
    "yacht",
]


@register("family")
class Tabular(TableFamily):
    """x: features sampled per task, standardized; y: a class or standardized value."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    which: TableName = knob(
        "banknote",
        label="Set",
        help="The last six, from abalone on, are regression; the rest classification.",
    )
    classes: int = knob(
        0,
        label="Classes",
        unit="classes",
        low=0,
        high=10,
        help="Classes per task, sampled afresh; 0 takes all. Not for regression.",
    )
    examples: int = knobs.examples(24)
    held_out: int = knobs.held_out(12)
    features: int = knobs.features(0, high=64)

    @classmethod
    def missing_file(cls) -> str:
        """Return which file this family lacks; empty if none."""
        return data_pack.missing_pack_file("tabular.npz")

    def answer_kind(self) -> str:
        """Return "classes" or "value", depending on the set."""
        return self.table().answers

    def table(self) -> DataTable:
        """Return the chosen set's rows."""
        return data_pack.tabular(self.which)
