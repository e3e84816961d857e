"""A knowledge base as a run froze it: read, told in words, and written to a file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from app.figures.figure_types import Film, Floats, Places

if TYPE_CHECKING:
    from engine.data.user.knowledge_file import Knowledge


class Remembered(NamedTuple):
    """Experiences of one replicate, each once, and the space that they are of.

    Args:
        space: Its name.
        positions: Names of the decisions.
        options: Names of each decision's options.
        edges: From which node to which each position leads; empty for a list.
        tasks: Names of the tasks.
        codes: Shape (experience, position).
        accuracy: Share, NaN where the training failed; shape (experience,).
        task: Position among the tasks.
        step: Evaluation of its search.
        search: Which search of meta-training.
        best: Whether it is kept as one of the best; else as one of the sample.
        seen: How many experiences came by.
    """

    space: str
    positions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[int, int], ...]
    tasks: tuple[str, ...]
    codes: Places
    accuracy: Floats
    task: Places
    step: Places
    search: Places
    best: Places
    seen: int

    def taken(self, chosen: Places) -> "Remembered":
        """Return some of the experiences."""
        names = ("codes", "accuracy", "task", "step", "search", "best")
        return self._replace(**{name: getattr(self, name)[chosen] for name in names})


def replicates(frozen: Film) -> int:
    """Return how many bases a frozen learner has."""
    return len(frozen.arrays["filled"])


def read(frozen: Film, film: Film, replicate: int = 0) -> Remembered:
    """Read one replicate's base.

    Args:
        frozen: The frozen meta-learner's artefact.
        film: The run's artefact of kind "search", which names the space.
        replicate: Which one.
    """
    space: Mapping[str, Any] = film.info.get("evaluator") or film.info
    held = {
        name: np.asarray(frozen.arrays[name])[replicate]
        for name in ("filled", "codes", "accuracy", "task", "step", "search")
    }
    top = int(frozen.info.get("knobs", {}).get("best", 0))
    there = np.flatnonzero(held["filled"] > 0)
    key = [held[n][there].reshape(len(there), -1) for n in ("codes", "task")]
    key += [held[n][there][:, None] for n in ("step", "search")]
    _, first = np.unique(np.concatenate(key, 1), axis=0, return_index=True)
    chosen = there[np.sort(first)]
    seen = frozen.arrays.get("seen")
    return Remembered(
        space=str(space["space"]),
        positions=tuple(space["positions"]),
        options=tuple(tuple(names) for names in space["options"]),
        edges=tuple((int(a), int(b)) for a, b in space.get("edges", ())),
        tasks=tuple(space["tasks"]),
        codes=held["codes"][chosen],
        accuracy=held["accuracy"][chosen],
        task=held["task"][chosen],
        step=held["step"][chosen],
        search=held["search"][chosen],
        best=chosen < top,
        seen=len(chosen) if seen is None else int(np.asarray(seen)[replicate]),
    )


def table(base: Remembered) -> pd.DataFrame:
    """Return experiences as a table, the most accurate first."""
    order = np.argsort(-np.nan_to_num(base.accuracy, nan=-1.0), kind="stable")
    held = base.taken(order)
    rows: dict[str, Any] = {
        "Accuracy (%)": np.round(100 * held.accuracy, 2),
        "Task": [_task(base, int(t)) for t in held.task],
        "Search": held.search + 1,
        "Evaluation": held.step + 1,
    }
    for place, name in enumerate(base.positions):
        rows[name] = [base.options[place][int(c)] for c in held.codes[:, place]]
    rows["Kept as"] = np.where(held.best, "best", "sample")
    return pd.DataFrame(rows)


def _task(base: Remembered, task: int) -> str:
    return base.tasks[task] if task < len(base.tasks) else f"task {task + 1}"


def chosen(
    base: Remembered,
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
    fits = np.ones(len(base.accuracy), bool)
    if tasks:
        fits &= np.isin(base.task, [i for i, n in enumerate(base.tasks) if n in tasks])
    for position, name in options.items():
        fits &= base.codes[:, position] == base.options[position].index(name)
    if accuracy is not None:
        low, high = accuracy
        fits &= (base.accuracy >= low - 1e-9) & (base.accuracy <= high + 1e-9)
    return np.flatnonzero(fits)


def file(frozen: Film, film: Film) -> bytes:
    """Return a frozen learner's bases, all replicates, as the bytes of their file."""
    from engine.data.user.knowledge_file import Kept, Knowledge, written

    space = film.info.get("evaluator") or film.info
    top, kept = int(frozen.info.get("knobs", {}).get("best", 0)), []
    arrays = {name: np.asarray(part) for name, part in frozen.arrays.items()}
    for r in range(replicates(frozen)):
        there = np.flatnonzero(arrays["filled"][r] > 0)
        parts = (arrays[n][r, there] for n in _FILED)
        seen = int(arrays["seen"][r])
        kept.append(Kept(*parts, there < top, seen, arrays["moments"][r]))
    return written(
        Knowledge(
            str(space["space"]),
            tuple(space["positions"]),
            tuple(tuple(names) for names in space["options"]),
            tuple((int(a), int(b)) for a, b in space.get("edges", ())),
            tuple(space["tasks"]),
            tuple(kept),
        )
    )


_FILED = ("codes", "accuracy", "task", "step", "search")


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
    top = max([now.best, *(int(kept.best.sum()) for kept in told.replicates)])
    samples = [(int((~kept.best).sum()), kept.seen) for kept in told.replicates]
    most = max((n for n, _ in samples), default=0)
    # Of more than is listed it is a fair sample only at its own size.
    if any(seen > n for n, seen in samples):
        return Sizes(top, top + most)
    return Sizes(top, max(now.capacity, top + most))
