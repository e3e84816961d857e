"""Schema of knowledge base files (JSON, version 1), and conversion to arrays.

Architectures are given by the names of their options, tasks by their names. If `seen`
and `moments` are missing or null, the sample is taken to be all that was seen, and
the moments are computed from the listed experiences.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
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
from engine.contract.validation_messages import describe_value

FORMAT = 1
# The most of each that a file may have.
EXPERIENCES, REPLICATES, TASKS, POSITIONS, OPTIONS = 100_000, 64, 1000, 256, 64


def _to_whole_number(value: object) -> object:
    """Return 3 for 3.0: some programs write integers with a decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise Refused("it must not have a name twice")
    return names


Name = Annotated[str, Field(min_length=1, max_length=200)]
DistinctNames = Annotated[
    tuple[Name, ...], Field(min_length=1), AfterValidator(_check_distinct)
]
# Strict, because pydantic would otherwise turn true and "3" into numbers.
Node = Annotated[int, Field(strict=True, ge=0, le=POSITIONS)]
Count = Annotated[
    int, BeforeValidator(_to_whole_number), Field(strict=True, ge=0, le=10**15)
]
Share = Annotated[float, Field(strict=True, ge=0.0, le=1.0)]
Moment = Annotated[float, Field(strict=True, ge=0.0, le=1e15)]


class ExperienceArrays(NamedTuple):
    """The experiences of one replicate as arrays.

    Args:
        codes: Index of the option at each position; shape (experience, position).
        accuracy: Share, NaN where the training failed; shape (experience,).
        task: Index of the task; shape (experience,).
        step: Index of the evaluation within its search; shape (experience,).
        search: Index of the search within meta-training; shape (experience,).
        best: Whether it is one of the best, else of the sample; shape (experience,).
    """

    codes: Int[np.ndarray, "experience position"]
    accuracy: Float[np.ndarray, " experience"]
    task: Int[np.ndarray, " experience"]
    step: Int[np.ndarray, " experience"]
    search: Int[np.ndarray, " experience"]
    best: Bool[np.ndarray, " experience"]

    def take(self, chosen: Shaped[np.ndarray, " chosen"]) -> Self:
        """Return the chosen experiences, by mask or index."""
        return type(self)(*(column[chosen] for column in self))


class KnowledgeRecord(BaseModel):
    """Base of the schema: frozen, no unknown fields, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SpaceRecord(KnowledgeRecord):
    """A search space: its name, decisions, and the options of each.

    `edges` are the start and end node of each decision in a cell; else empty.
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
    """One trained architecture; accuracy is null if the training failed."""

    architecture: tuple[str, ...]
    accuracy: Share | None
    task: str
    step: Count = 0
    search: Count = 0
    kept: Literal["best", "sample"] = "sample"

    @model_validator(mode="after")
    def _check_best(self) -> Self:
        if self.kept == "best" and self.accuracy is None:
            raise Refused("a failed training cannot be among the best")
        return self


class Replicate(KnowledgeRecord):
    """The knowledge of one replicate.

    `seen` is the number of experiences that the sample was drawn from; `moments` are
    the count, mean and sum of squared deviations of each task's accuracies.
    """

    seen: Count | None = None
    moments: tuple[tuple[Moment, Moment, Moment], ...] | None = None
    experiences: tuple[ExperienceRecord, ...] = Field(
        min_length=1, max_length=EXPERIENCES
    )


class Knowledge(KnowledgeRecord):
    """A knowledge base and its search space."""

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
        # Building the entries looks up every name, and refuses unknown ones.
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
        """The experiences of each replicate as arrays."""
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
        """Return the indices of an experience's options, and of its task."""
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
        """Return the number of experiences that a replicate's sample was drawn from."""
        given = self.replicates[replicate].seen
        return int((~self.entries[replicate].best).sum()) if given is None else given

    def moments(self, replicate: int) -> Float[np.ndarray, "task 3"]:
        """Return count, mean and sum of squared deviations by task; shape (task, 3)."""
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
    base: Mapping[str, Shaped[np.ndarray, "replicate ..."]], replicate: int, top: int
) -> ExperienceArrays:
    """Return the experiences of one replicate of a knowledge base.

    Args:
        base: The arrays of a `KnowledgeBase`, by name.
        replicate: Index of the replicate.
        top: Number of places for the best; these come first.
    """
    filled = np.flatnonzero(base["filled"][replicate] > 0)
    names = ("codes", "accuracy", "task", "step", "search")
    return ExperienceArrays(
        *(base[name][replicate, filled] for name in names), filled < top
    )
