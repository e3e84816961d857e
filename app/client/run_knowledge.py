"""The frozen knowledge base of a run: reading, filtering, tables and export."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from app.figures.figure_types import Film, Indices
from engine.data.user.knowledge_records import (
    ExperienceArrays,
    SpaceRecord,
    experience_arrays,
)

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.user.knowledge_records import Knowledge


class FrozenKnowledge(NamedTuple):
    """Deduplicated experiences of one replicate, and their space.

    Args:
        space: The space of the architectures.
        tasks: Names of the tasks.
        entries: The experiences.
        seen: How many experiences were seen, kept or not.
    """

    space: SpaceRecord
    tasks: tuple[str, ...]
    entries: ExperienceArrays
    seen_count: int

    def select(self, chosen: Indices) -> "FrozenKnowledge":
        """Return the selected experiences."""
        return self._replace(entries=self.entries.take(chosen))


def count_replicates(frozen: Film) -> int:
    """Return the number of bases in a frozen learner, one per replicate."""
    return len(frozen.arrays["filled"])


def read_frozen(frozen: Film, film: Film, replicate: int = 0) -> FrozenKnowledge:
    """Read one replicate's base.

    Args:
        frozen: The frozen meta-learner's artefact.
        film: The run's artefact of kind "search", which names the space.
        replicate: Index of the replicate.
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
    """Return how many of the kept experiences are reserved for the best."""
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


def experience_table(base: FrozenKnowledge) -> "pd.DataFrame":
    """Return experiences as a table, the most accurate first."""
    import pandas as pd  # here, so that pages start without it

    # Failed trainings sort last.
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
    """Return the indices of the experiences that match a filter.

    Args:
        base: All of them.
        tasks: Names of the tasks; empty for any.
        options: Required option by position.
        accuracy: Lowest and highest share; excludes failed trainings. None for any.
    """
    held = base.entries
    fits = np.ones(len(held.accuracy), bool)
    if tasks:
        fits &= np.isin(held.task, [i for i, n in enumerate(base.tasks) if n in tasks])
    for position, name in options.items():
        fits &= held.codes[:, position] == base.space.options[position].index(name)
    if accuracy is not None:
        low, high = accuracy
        # The slider rounds to 0.1 %: keep the end points despite rounding.
        fits &= (held.accuracy >= low - 1e-9) & (held.accuracy <= high + 1e-9)
    return np.flatnonzero(fits)


def to_file_bytes(frozen: Film, film: Film) -> bytes:
    """Return a frozen learner's bases, all replicates, as the bytes of their file."""
    from engine.data.user.knowledge_file import knowledge_bytes

    base, top = _as_arrays(frozen), _best_capacity(frozen)
    return knowledge_bytes(_space_record(film), _task_names(film), base, top)


class KnowledgeSizes(NamedTuple):
    """Capacity of a knowledge base: for the best experiences, and in total."""

    best: int
    capacity: int


def sizes_for_import(knowledge: "Knowledge", current: KnowledgeSizes) -> KnowledgeSizes:
    """Return sizes that an imported base fits into without truncation.

    Args:
        knowledge: The base.
        current: The present sizes.
    """
    top = max(
        [current.best, *(int(entries.best.sum()) for entries in knowledge.entries)]
    )
    samples = [int((~entries.best).sum()) for entries in knowledge.entries]
    most = max(samples, default=0)
    # A sample of more experiences than it lists is uniform only at its own size.
    if any(knowledge.experience_count(r) > listed for r, listed in enumerate(samples)):
        return KnowledgeSizes(top, top + most)
    return KnowledgeSizes(top, max(current.capacity, top + most))
