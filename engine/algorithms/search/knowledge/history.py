"""Trained architectures as records, which a knowledge base is updated with.

`engine.knowledge` is the interface that uses them.
"""

from dataclasses import dataclass

import numpy as np

from engine.algorithms.search.knowledge.knowledge_base import ExperienceBatch
from engine.contract.errors import Refused
from engine.protocol import Space

Architecture = tuple[int, ...]


@dataclass(frozen=True)
class Experience:
    """One trained architecture.

    Args:
        architecture: Index of the option taken at each position, from 0.
        accuracy: Validation accuracy, 0 to 1; None if the training failed.
        task: Index of the task it was trained on.
        step: Index of the evaluation within its search.
        search: Index of the search.
    """

    architecture: Architecture
    accuracy: float | None
    task: int = 0
    step: int = 0
    search: int = 0


@dataclass(frozen=True)
class History:
    """Trained architectures of one space.

    Args:
        space: The space that the architectures belong to.
        experiences: In the order in which they were trained.
        tasks: Names of the tasks; `Experience.task` is an index into them.
    """

    space: Space
    experiences: tuple[Experience, ...]
    tasks: tuple[str, ...] = ("task 1",)


def check_experiences(
    space: Space, made: tuple[Experience, ...], tasks: int | None
) -> None:
    """Refuse experiences that do not fit a space.

    Args:
        space: The space that they should belong to.
        made: The experiences.
        tasks: Number of tasks; None for any.

    Raises:
        Refused: If a code, an accuracy or a task is out of range.
    """
    for i, each in enumerate(made):
        where, codes = f"experience {i + 1}", each.architecture
        fits = len(codes) == len(space.radix) and all(
            0 <= code < r for code, r in zip(codes, space.radix, strict=True)
        )
        if not fits:
            raise Refused(
                f"{where} is not an architecture of {space.name}", "architecture"
            )
        if each.accuracy is not None and not 0.0 <= each.accuracy <= 1.0:
            raise Refused(
                f"{where}: an accuracy must be from 0 to 1, not {each.accuracy}",
                "accuracy",
            )
        if each.task < 0 or (tasks is not None and each.task >= tasks):
            raise Refused(f"{where}: there is no task number {each.task}", "task")


def experience_batch(made: tuple[Experience, ...], replicates: int) -> ExperienceBatch:
    """Return experiences as arrays, the same for every replicate."""
    accuracy = [np.nan if e.accuracy is None else e.accuracy for e in made]
    columns = (
        np.array([e.architecture for e in made], np.int64),
        np.array(accuracy, np.float64),
        *np.array([(e.task, e.step, e.search) for e in made], np.int64).T,
        np.ones(len(made), bool),
    )
    return ExperienceBatch(*(np.stack([column] * replicates) for column in columns))
