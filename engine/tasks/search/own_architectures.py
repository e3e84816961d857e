"""Own architectures: search of your own CSV table of trainings.

Source: the file, stored under its sha256; a run on another machine asks for it.
Differs: nothing is trained, every accuracy is looked up; combinations of options that
the file lacks count as failed trainings.
Helps: search strategies on your own space. The file has a row for each architecture
and data set, with columns `dataset`, `op:NAME` for each decision (its option, read as
text) and `validation` (accuracy; empty if the training failed). Optional columns are
`epochs` (a row for each length of a learning curve), `test` (accuracy after the last
epoch, else validation is used), `cost` (of the training up to there), and other
numeric columns, which become properties such as `parameters`.
"""

from functools import lru_cache
from typing import ClassVar

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.data.user.architecture_csv import load_own_architectures
from engine.data.user.architecture_rows import AccuracyUnit
from engine.protocol import Evaluator
from engine.tasks.search._family import SearchFamily
from engine.tasks.search._table_evaluator import TableEvaluator

OTHERS = "the others"


@register("family")
class OwnArchitectures(SearchFamily):
    """a* = argmax over the table of test accuracy; search sees validation."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    pooled: ClassVar[bool] = True
    needs_file: ClassVar[bool] = True
    file: ClassVar[str] = "architectures"
    limit: ClassVar[str] = "spend"

    digest: str = knob(
        "", label="File", help="sha256 of the file; adding a file fills it in."
    )
    accuracy: AccuracyUnit = knob(
        "share", label="Unit of accuracies", help="From 0 to 1, or from 0 to 100."
    )
    target: str = knob(
        "",
        label="Target",
        help="Data set that is searched on in meta-test, as in column dataset; empty "
        "takes the first.",
    )
    source: str = knob(
        OTHERS,
        label="Source",
        help="Data set of meta-training and meta-validation, or 'the others': all but "
        "the target. With a single data set the target is also the source, so gains "
        "are not transfer.",
    )
    epochs: float = knob(
        0.0,
        label="Epochs of a training",
        unit="epochs",
        low=0.0,
        high=1e9,
        help="A search sees accuracy after this many epochs, which the file must have; "
        "0 takes the most.",
    )
    spend: float = knob(
        0.0,
        label="Budget of a search",
        unit="cost",
        low=0.0,
        high=1e12,
        help="Cost that a search may spend, in the file's unit; 0 limits only the "
        "number of trainings.",
    )

    def evaluator(self) -> Evaluator:
        """Return the file's table, read once per process."""
        return self._evaluator()

    def check(self) -> None:
        """Refuse an absent file, and data sets or epochs that it does not contain."""
        for pool in ("test", "train"):
            self.sources(pool)
        self.full_fidelity()
        super().check()

    def sources(self, pool: str) -> tuple[int, ...]:
        """Return the data sets of the pool."""
        count = len(self._evaluator().tasks)
        target = self._task_index(self.target, "target") if self.target else 0
        if pool == "test":
            return (target,)
        if self.source != OTHERS:
            return (self._task_index(self.source, "source"),)
        # With a single data set there is no other source than the target.
        return tuple(i for i in range(count) if i != target) or (target,)

    def budget(self) -> float:
        """Return the cost, or no limit."""
        return self.spend or float("inf")

    def full_fidelity(self) -> int:
        """Return the fidelity of the chosen epochs."""
        known = self._evaluator().fidelities
        if self.epochs and self.epochs not in known:
            listed = ", ".join(f"{each:g}" for each in known)
            raise Refused(
                f"this file has no accuracy after {self.epochs:g} epochs; it has: "
                f"{listed}",
                "epochs",
            )
        return known.index(self.epochs) if self.epochs else len(known) - 1

    def _task_index(self, name: str, field: str) -> int:
        known = self._evaluator().tasks
        if name not in known:
            listed = ", ".join(known[:20])
            raise Refused(
                f"this file has no data set {name[:40]!r}; it has: {listed}", field
            )
        return known.index(name)

    def _evaluator(self) -> TableEvaluator:
        return _load_evaluator(self.digest, self.accuracy)


@lru_cache(maxsize=4)
def _load_evaluator(digest: str, unit: AccuracyUnit) -> TableEvaluator:
    return TableEvaluator(load_own_architectures(digest, unit))
