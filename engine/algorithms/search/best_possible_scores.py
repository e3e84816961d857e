"""The best score that a search could reach, for spaces whose scores are all known."""

import numpy as np
from jaxtyping import Float

from engine.protocol import SearchBatch


def best_possible_scores(
    tasks: SearchBatch, *, capped: bool
) -> Float[np.ndarray, " member"]:
    """Return the best score in each member's space; share, shape (member,).

    Where scores are only known by training it is 1, the upper bound of an accuracy.

    Args:
        tasks: One search per member.
        capped: Whether architectures above the objective's cap are left out.
    """
    found = {
        int(w): _best_possible_score(tasks, int(w), capped)
        for w in np.unique(tasks.task_index)
    }
    return np.array([found[int(w)] for w in tasks.task_index])


def _best_possible_score(tasks: SearchBatch, which: int, capped: bool) -> float:
    table = known_scores(tasks, which, capped=capped)
    return 1.0 if table is None or not len(table) else float(table.max())


def known_scores(
    tasks: SearchBatch, which: int, *, capped: bool = False
) -> Float[np.ndarray, " architecture"] | None:
    """Return the known scores of the searched space on a task, without NaN.

    Args:
        tasks: The searches.
        which: Index of the task among the evaluator's.
        capped: Whether architectures above the objective's cap are left out.

    Returns:
        Shape (architecture,); None if scores are only known by training.
    """
    table = tasks.evaluator.scores(which)
    if table is None:
        return None
    full = tasks.all_codes()
    found = table[tasks.evaluator.space.index(full)]
    if capped and tasks.objective.property and tasks.objective.cap is not None:
        name, cap = tasks.objective.property, tasks.objective.cap[which]
        where = np.full(len(full), which)
        found = found[tasks.evaluator.property(name, where, full) <= cap]
    return found[~np.isnan(found)]
