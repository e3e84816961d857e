"""A knowledge base as a run froze it: read, told in words, and written to a file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from app.figures.figure_types import Film, Places
from engine.data.user.knowledge_records import Entries, SpaceRecord, entries_of

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
    entries: Entries
    seen: int

    def take(self, chosen: Places) -> "FrozenKnowledge":
        """Return some of the experiences."""
        return self._replace(entries=self.entries.take(chosen))


def replicates(frozen: Film) -> int:
    """Return how many bases a frozen learner has."""
    return len(frozen.arrays["filled"])


def read(frozen: Film, film: Film, replicate: int = 0) -> FrozenKnowledge:
    """Read one replicate's base.

    Args:
        frozen: The frozen meta-learner's artefact.
        film: The run's artefact of kind "search", which names the space.
        replicate: Which one.
    """
    entries = entries_of(_arrays(frozen), replicate, _top(frozen))
    key = np.column_stack([entries.codes, entries.task, entries.step, entries.search])
    first = np.sort(np.unique(key, axis=0, return_index=True)[1])
    seen = frozen.arrays.get("seen")
    return FrozenKnowledge(
        space=_space(film),
        tasks=_tasks(film),
        entries=entries.take(first),
        seen=len(first) if seen is None else int(np.asarray(seen)[replicate]),
    )


def _arrays(frozen: Film) -> dict[str, np.ndarray]:
    return {name: np.asarray(part) for name, part in frozen.arrays.items()}


def _top(frozen: Film) -> int:
    """Return how many places are for the best."""
    return int(frozen.info.get("knobs", {}).get("best", 0))


def _space(film: Film) -> SpaceRecord:
    space: Mapping[str, Any] = film.info.get("evaluator") or film.info
    return SpaceRecord.model_construct(
        name=str(space["space"]),
        positions=tuple(space["positions"]),
        options=tuple(tuple(names) for names in space["options"]),
        edges=tuple((int(a), int(b)) for a, b in space.get("edges", ())),
    )


def _tasks(film: Film) -> tuple[str, ...]:
    return tuple((film.info.get("evaluator") or film.info)["tasks"])


def table(base: FrozenKnowledge) -> pd.DataFrame:
    """Return experiences as a table, the most accurate first."""
    accuracy = np.nan_to_num(base.entries.accuracy, nan=-1.0)
    held = base.entries.take(np.argsort(-accuracy, kind="stable"))
    rows: dict[str, Any] = {
        "Accuracy (%)": np.round(100 * held.accuracy, 2),
        "Task": [_task(base, int(t)) for t in held.task],
        "Search": held.search + 1,
        "Evaluation": held.step + 1,
    }
    for place, name in enumerate(base.space.positions):
        rows[name] = [base.space.options[place][int(c)] for c in held.codes[:, place]]
    rows["Kept as"] = np.where(held.best, "best", "sample")
    return pd.DataFrame(rows)


def _task(base: FrozenKnowledge, task: int) -> str:
    return base.tasks[task] if task < len(base.tasks) else f"task {task + 1}"


def chosen(
    base: FrozenKnowledge,
    tasks: list[str],
    options: Mapping[int, str],
    accuracy: tuple[float, float] | None,
) -> Places:
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


def file(frozen: Film, film: Film) -> bytes:
    """Return a frozen learner's bases, all replicates, as the bytes of their file."""
    from engine.data.user.knowledge_file import knowledge_bytes

    base, top = _arrays(frozen), _top(frozen)
    return knowledge_bytes(_space(film), _tasks(film), base, top)


class Sizes(NamedTuple):
    """How much a strategy keeps: of the best, and in all."""

    best: int
    capacity: int


def room(told: "Knowledge", now: Sizes) -> Sizes:
    """Return sizes that an imported base fits into, none of its parts cut.

    Args:
        told: The base.
        now: What is kept so far.
    """
    top = max([now.best, *(int(entries.best.sum()) for entries in told.entries)])
    samples = [int((~entries.best).sum()) for entries in told.entries]
    most = max(samples, default=0)
    # Of more than is listed it is a fair sample only at its own size.
    if any(told.seen(r) > listed for r, listed in enumerate(samples)):
        return Sizes(top, top + most)
    return Sizes(top, max(now.capacity, top + most))
