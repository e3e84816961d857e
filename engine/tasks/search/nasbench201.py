"""NAS-Bench-201: cells of six edges with five operations, trained on three data sets.

Source: Dong and Yang (2020), arXiv:2001.00326.
Differs: the cost of a training excludes validation time, which the table lacks.
Helps: comparison with published search results.
"""

from functools import cache
from typing import ClassVar, Literal

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.data.sources import nasbench201 as table
from engine.data.sources.data_pack import missing_pack_file
from engine.protocol import Evaluator
from engine.tasks.search._family import SearchFamily
from engine.tasks.search._table_evaluator import TableEvaluator

DataSetName = Literal["CIFAR-10", "CIFAR-100", "ImageNet16-120"]


@register("family")
class Nasbench201(SearchFamily):
    """a* = argmax over 5⁶ cells of test accuracy; a search sees validation accuracy."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    pooled: ClassVar[bool] = True
    limit: ClassVar[str] = "seconds"

    target: DataSetName = knob(
        "CIFAR-10",
        label="Target",
        help="Data set that is searched on in meta-test.",
    )
    source: DataSetName = knob(
        "CIFAR-100",
        label="Source",
        help="Data set of meta-training and meta-validation. Choosing the target means "
        "training on the test task.",
    )
    epochs: Literal["12", "200"] = knob(
        "12",
        label="Epochs of a training",
        help="A search sees accuracy after 12 epochs, or after all 200.",
    )
    seconds: float = knob(
        12_000.0,
        label="Budget of a search",
        unit="s",
        low=0.0,
        high=1e8,
        help="Training seconds that a search may spend; 0 limits only the number of "
        "trainings. Published searches had 12,000, about 109 cells of 12 epochs.",
    )

    @classmethod
    def missing_file(cls) -> str:
        """Name the pack's file if it is absent."""
        return missing_pack_file(table.FILE)

    def evaluator(self) -> Evaluator:
        """Return the table, read once per process."""
        return _evaluator()

    def sources(self, pool: str) -> tuple[int, ...]:
        """Return the data set of the pool."""
        chosen = self.target if pool == "test" else self.source
        return (_evaluator().tasks.index(chosen),)

    def budget(self) -> float:
        """Return the seconds, or no limit."""
        return self.seconds or float("inf")

    def full_fidelity(self) -> int:
        """Return the fidelity of the chosen epochs."""
        return table.EPOCHS.index(float(self.epochs))


@cache
def _evaluator() -> TableEvaluator:
    return TableEvaluator(table.load_nasbench201())
