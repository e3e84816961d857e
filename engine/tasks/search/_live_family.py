"""Base class of families whose architectures are trained on demand."""

from typing import ClassVar, Literal

from engine.contract.parts import knob
from engine.tasks.search._family import SearchFamily
from engine.tasks.search._live_data import NAMES, DataSetName
from engine.tasks.search._live_training import STEPS


class LiveFamily(SearchFamily):
    """A family whose architectures are trained on demand."""

    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    limit: ClassVar[str] = "work"

    target: DataSetName = knob(
        "checkerboard",
        label="Target",
        help="Data set that is searched on in meta-test: 256 rows for training, 256 "
        "for validation, 512 for test.",
    )
    source: Literal[
        "the others", "moons", "rings", "spirals", "checkerboard", "gaussians", "digits"
    ] = knob(
        "the others",
        label="Source",
        help="Data set of meta-training and meta-validation, or all but the target.",
    )
    steps: Literal["18", "54", "162"] = knob(
        "54",
        label="Steps of a training",
        work="passes",
        help="Minibatches of 32 rows in a full training; strategies that stop early "
        "may use fewer.",
    )
    work: float = knob(
        0.0,
        label="Budget of a search",
        unit="M multiply-adds",
        low=0.0,
        high=1e9,
        help="Multiply-adds of all trainings of a search together; 0 limits only the "
        "number of trainings.",
    )

    def sources(self, pool: str) -> tuple[int, ...]:
        """Return the data sets of the pool."""
        if pool == "test":
            return (NAMES.index(self.target),)
        if self.source == "the others":
            return tuple(i for i, name in enumerate(NAMES) if name != self.target)
        return (NAMES.index(self.source),)

    def budget(self) -> float:
        """Return the multiply-adds, in millions, or no limit."""
        return self.work or float("inf")

    def full_fidelity(self) -> int:
        """Return the fidelity of the chosen steps."""
        return STEPS.index(int(self.steps))
