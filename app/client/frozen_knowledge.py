"""A knowledge base as a run froze it: read, told in words, and written to a file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from app.figures.figure_types import Film, Indices
from engine.data.user.knowledge_records import (
    ExperienceArrays,
    SpaceRecord,
    experience_arrays,
)

if TYPE_CHECKING:
    from engine.data.user.knowledge_records import Knowledge


class FrozenKnowledge(NamedTuple):
    """Experiences of one replicate, each once, and the space that they are of.

    Args:
        space: What the architectures are of.
        tasks: Names of the tasks.
        entries: The experiences.
        seen: How many experiences came by.
    """

    space: SpaceRecord
    tasks: tuple[str, ...]
    entries: ExperienceArrays
    seen_count: int

    def select(self, chosen: Indices) -> "FrozenKnowledge":
        """Return some of the experiences."""
        return self._replace(entries=self.entries.take(chosen))


def count_replicates(frozen: Film) -> int:
    """Return how many bases a frozen learner has."""
    return len(frozen.arrays["filled"])


def read_frozen(frozen: Film, film: Film, replicate: int = 0) -> FrozenKnowledge:
    """Read one replicate's base.

    Args:
        frozen: The frozen meta-learner's artefact.
        film: The run's artefact of kind "search", which names the space.
        replicate: Which one.
    """
    entries = experience_arrays(_as_arrays(frozen), replicate, _best_capacity(frozen))
    key = np.column_stack([entries.codes, entries.task, entries.step, entries.search])
    first = np.sort(np.unique(key, axis=0, return_index=True)[1])
    seen = frozen.arrays.get("seen")
    return FrozenKnowledge(
        space=_space_record(film),
        tasks=_task_names(film),
        entries=entries.take(first),
        seen_count=len(first) if seen is None else int(np.asarray(seen)[replicate]),
    )


def _as_arrays(frozen: Film) -> dict[str, np.ndarray]:
    return {name: np.asarray(part) for name, part in frozen.arrays.items()}


def _best_capacity(frozen: Film) -> int:
    """Return how many places are for the best."""
    return int(frozen.info.get("knobs", {}).get("best", 0))


def _space_record(film: Film) -> SpaceRecord:
    space: Mapping[str, Any] = film.info.get("evaluator") or film.info
    return SpaceRecord.model_construct(
        name=str(space["space"]),
        positions=tuple(space["positions"]),
        options=tuple(tuple(names) for names in space["options"]),
        edges=tuple((int(a), int(b)) for a, b in space.get("edges", ())),
    )


def _task_names(film: Film) -> tuple[str, ...]:
    return tuple((film.info.get("evaluator") or film.info)["tasks"])


def experience_table(base: FrozenKnowledge) -> pd.DataFrame:
    """Return experiences as a table, the most accurate first."""
    accuracy = np.nan_to_num(base.entries.accuracy, nan=-1.0)
    held = base.entries.take(np.argsort(-accuracy, kind="stable"))
    rows: dict[str, Any] = {
        "Accuracy (%)": np.round(100 * held.accuracy, 2),
        "Task": [_task_name(base, int(t)) for t in held.task],
        "Search": held.search + 1,
        "Evaluation": held.step + 1,
    }
    for place, name in enumerate(base.space.positions):
        rows[name] = [base.space.options[place][int(c)] for c in held.codes[:, place]]
    rows["Kept as"] = np.where(held.best, "best", "sample")
    return pd.DataFrame(rows)


def _task_name(base: FrozenKnowledge, task: int) -> str:
    return base.tasks[task] if task < len(base.tasks) else f"task {task + 1}"


def filter_experiences(
    base: FrozenKnowledge,
    tasks: list[str],
    options: Mapping[int, str],
    accuracy: tuple[float, float] | None,
) -> Indices:
    """Return the experiences that fit a filter.

    Args:
        base: All of them.
        tasks: Names of the tasks; any where there are none.
        options: Option asked for at some positions.
        accuracy: Lowest and highest share; failed trainings fit only without it.
    """
    held = base.entries
    fits = np.ones(len(held.accuracy), bool)
    if tasks:
        fits &= np.isin(held.task, [i for i, n in enumerate(base.tasks) if n in tasks])
    for position, name in options.items():
        fits &= held.codes[:, position] == base.space.options[position].index(name)
    if accuracy is not None:
        low, high = accuracy
        fits &= (held.accuracy >= low - 1e-9) & (held.accuracy <= high + 1e-9)
    return np.flatnonzero(fits)


def to_file_bytes(frozen: Film, film: Film) -> bytes:
    """Return a frozen learner's bases, all replicates, as the bytes of their file."""
    from engine.data.user.knowledge_file import knowledge_bytes

    base, top = _as_arrays(frozen), _best_capacity(frozen)
    return knowledge_bytes(_space_record(film), _task_names(film), base, top)


class KnowledgeSizes(NamedTuple):
    """How much a strategy keeps: of the best, and in all."""

    best: int
    capacity: int


def sizes_for_import(knowledge: "Knowledge", current: KnowledgeSizes) -> KnowledgeSizes:
    """Return sizes that an imported base fits into, none of its parts cut.

    Args:
        knowledge: The base.
        current: What is kept so far.
    """
    top = max(
        [current.best, *(int(entries.best.sum()) for entries in knowledge.entries)]
    )
    samples = [int((~entries.best).sum()) for entries in knowledge.entries]
    most = max(samples, default=0)
    # Of more than is listed it is a fair sample only at its own size.
    if any(knowledge.experience_count(r) > listed for r, listed in enumerate(samples)):
        return KnowledgeSizes(top, top + most)
    return KnowledgeSizes(top, max(current.capacity, top + most))
