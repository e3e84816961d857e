"""A knowledge base as JSON, version 1, field by field, and its experiences as arrays.

An architecture is listed by the names of its options, and an experience's task by its
name. Where `seen` and `moments` are left out or null, the sample is all that there
was, and a task's moments are those of what is listed.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from engine.contract.errors import Refused
from engine.contract.plain_errors import describe_value

FORMAT = 1
EXPERIENCES, REPLICATES, TASKS, POSITIONS, OPTIONS = 100_000, 64, 1000, 256, 64
Numbers = np.ndarray


def _to_whole_number(value: object) -> object:
    """Return 3 for 3.0: not every program writes whole numbers without a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise Refused("it has a name twice")
    return names


Name = Annotated[str, Field(min_length=1, max_length=200)]
DistinctNames = Annotated[
    tuple[Name, ...], Field(min_length=1), AfterValidator(_check_distinct)
]
# Numbers are strict, for JSON's true and texts would become numbers.
Node = Annotated[int, Field(strict=True, ge=0, le=POSITIONS)]
Count = Annotated[
    int, BeforeValidator(_to_whole_number), Field(strict=True, ge=0, le=10**15)
]
Share = Annotated[float, Field(strict=True, ge=0.0, le=1.0)]
Moment = Annotated[float, Field(strict=True, ge=0.0, le=1e15)]


class ExperienceArrays(NamedTuple):
    """Experiences of one replicate as arrays.

    Args:
        codes: Option taken at each position; shape (experience, position).
        accuracy: Share, NaN where the training failed; shape (experience,).
        task: Position among the tasks; shape (experience,), as are the others.
        step: Evaluation of its search.
        search: Which search of meta-training.
        best: Whether it is kept as one of the best; else as one of the sample.
    """

    codes: Numbers
    accuracy: Numbers
    task: Numbers
    step: Numbers
    search: Numbers
    best: Numbers

    def take(self, chosen: Numbers) -> Self:
        """Return some of the experiences."""
        return type(self)(*(column[chosen] for column in self))


class KnowledgeRecord(BaseModel):
    """JSON that is kept as it came: no unknown field, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SpaceRecord(KnowledgeRecord):
    """A space: its name, its decisions, the options of each, and its edges.

    `edges` say from which node to which each decision leads; a list has none.
    """

    name: Name
    positions: DistinctNames = Field(max_length=POSITIONS)
    options: tuple[Annotated[DistinctNames, Field(max_length=OPTIONS)], ...]
    edges: tuple[tuple[Node, Node], ...]

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        count = len(self.positions)
        if len(self.options) != count:
            raise Refused(
                f"options must be a list of {count}, one for each position, not of "
                f"{len(self.options)}"
            )
        if len(self.edges) not in (0, count):
            raise Refused(
                f"edges must be empty or a list of {count}, not of {len(self.edges)}"
            )
        return self


class ExperienceRecord(KnowledgeRecord):
    """One trained architecture; its accuracy is null where the training failed."""

    architecture: tuple[str, ...]
    accuracy: Share | None
    task: str
    step: Count = 0
    search: Count = 0
    kept: Literal["best", "sample"] = "sample"

    @model_validator(mode="after")
    def _check_best(self) -> Self:
        if self.kept == "best" and self.accuracy is None:
            raise Refused("a failed training is not among the best")
        return self


class Replicate(KnowledgeRecord):
    """What one replicate knows.

    `seen` is how many experiences the sample is of; `moments` are the count, mean and
    sum of squares around it of each task's accuracies.
    """

    seen: Count | None = None
    moments: tuple[tuple[Moment, Moment, Moment], ...] | None = None
    experiences: tuple[ExperienceRecord, ...] = Field(
        min_length=1, max_length=EXPERIENCES
    )


class Knowledge(KnowledgeRecord):
    """A knowledge base and the space that it is of."""

    kind: Literal["knowledge"]
    format: Annotated[int, BeforeValidator(_to_whole_number), Field(strict=True, ge=1)]
    space: SpaceRecord
    tasks: DistinctNames = Field(max_length=TASKS)
    replicates: tuple[Replicate, ...] = Field(min_length=1, max_length=REPLICATES)

    @field_validator("format")
    @classmethod
    def _check_format(cls, value: int) -> int:
        if value > FORMAT:
            raise Refused(
                f"this knowledge base has format {describe_value(value)}; this "
                "Metascope reads "
                f"up to {FORMAT}"
            )
        return value

    @model_validator(mode="after")
    def _check_replicates(self) -> Self:
        tasks = len(self.tasks)
        # To make the entries looks up every name, and refuses what is not there.
        for i, (each, entries) in enumerate(
            zip(self.replicates, self.entries, strict=True)
        ):
            listed = int((~entries.best).sum())
            if each.seen is not None and each.seen < listed:
                raise Refused(
                    f"replicates[{i}].seen must be at least {listed}, the size of the "
                    f"sample, not {each.seen}"
                )
            if each.moments is not None and len(each.moments) != tasks:
                raise Refused(
                    f"replicates[{i}].moments must be a list of {tasks}, one for each "
                    f"task, not of {len(each.moments)}"
                )
        return self

    @cached_property
    def entries(self) -> tuple[ExperienceArrays, ...]:
        """Return the experiences of each replicate as arrays."""
        return tuple(self._columns(i) for i in range(len(self.replicates)))

    def _columns(self, replicate: int) -> ExperienceArrays:
        listed = self.replicates[replicate].experiences
        where = f"replicates[{replicate}].experiences"
        numbers = [self._numbers(e, f"{where}[{i}]") for i, e in enumerate(listed)]
        accuracy = [np.nan if e.accuracy is None else e.accuracy for e in listed]
        return ExperienceArrays(
            codes=np.array([codes for codes, _ in numbers], np.int64),
            accuracy=np.array(accuracy, np.float64),
            task=np.array([task for _, task in numbers], np.int64),
            step=np.array([e.step for e in listed], np.int64),
            search=np.array([e.search for e in listed], np.int64),
            best=np.array([e.kept == "best" for e in listed], bool),
        )

    def _numbers(self, each: ExperienceRecord, where: str) -> tuple[list[int], int]:
        """Return the positions of an experience's options and of its task."""
        space, given = self.space, each.architecture
        if len(given) != len(space.options):
            raise Refused(
                f"{where}.architecture must be a list of {len(space.options)} options, "
                f"not of {len(given)}"
            )
        for name, at, names in zip(given, space.positions, space.options, strict=True):
            if name not in names:
                raise Refused(
                    f"{where}: {at} has no option {describe_value(name)}; one of "
                    f"{', '.join(names)}"
                )
        if each.task not in self.tasks:
            raise Refused(
                f"{where}: there is no task {describe_value(each.task)} in tasks"
            )
        codes = [names.index(n) for n, names in zip(given, space.options, strict=True)]
        return codes, self.tasks.index(each.task)

    def experience_count(self, replicate: int) -> int:
        """Return how many experiences a replicate's sample is of."""
        given = self.replicates[replicate].seen
        return int((~self.entries[replicate].best).sum()) if given is None else given

    def moments(self, replicate: int) -> Numbers:
        """Return count, mean and squares of each task; shape (task, 3)."""
        given = self.replicates[replicate].moments
        if given is not None:
            return np.array(given, np.float64)
        listed, found = self.entries[replicate], np.zeros((len(self.tasks), 3))
        for t in np.unique(listed.task):
            mine = listed.accuracy[(listed.task == t) & np.isfinite(listed.accuracy)]
            if len(mine):
                squares = ((mine - mine.mean()) ** 2).sum()
                found[t] = len(mine), mine.mean(), squares
        return found


def experience_arrays(
    base: Mapping[str, Numbers], replicate: int, top: int
) -> ExperienceArrays:
    """Return what one replicate of a base holds.

    Args:
        base: The arrays of a `KnowledgeBase`, by name.
        replicate: Which one.
        top: How many of its places are for the best; these come first.
    """
    filled = np.flatnonzero(base["filled"][replicate] > 0)
    names = ("codes", "accuracy", "task", "step", "search")
    return ExperienceArrays(
        *(base[name][replicate, filled] for name in names), filled < top
    )
