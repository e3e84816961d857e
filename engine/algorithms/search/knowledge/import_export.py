"""Between a knowledge base and its file."""

from collections.abc import Sequence

import numpy as np

from engine.algorithms.search.knowledge.base import Base, Sizes, empty_base, fingerprint
from engine.contract.errors import Refused
from engine.data.user.knowledge_file import Kept, Knowledge, kept_knowledge
from engine.protocol import Space, Spaces

Numbers = np.ndarray


def given_base(digest: str, tasks: Spaces, replicates: int, sizes: Sizes) -> Base:
    """Return the base to start from: an imported one, or an empty one.

    Args:
        digest: sha256 of the imported file; empty for none.
        tasks: What is searched; the base must be of its evaluator's space.
        replicates: How many bases; those of the file are repeated where it has fewer.
        sizes: How much is kept.

    Raises:
        Refused: If it is not here, of another space, or larger than what is kept.
    """
    if not digest:
        evaluator = tasks.evaluator
        return empty_base(evaluator.space, replicates, sizes, len(evaluator.tasks))
    return base_of(kept_knowledge(digest), tasks, replicates, sizes)


def base_of(told: Knowledge, tasks: Spaces, replicates: int, sizes: Sizes) -> Base:
    """Return a file's knowledge as a base.

    Raises:
        Refused: If it is of another space, or larger than what is kept.
    """
    evaluator = tasks.evaluator
    if not (fingerprint(space_of(told)) == fingerprint(evaluator.space)).all():
        raise Refused(
            f"this knowledge base is of the space {told.space!r}; what is searched is "
            f"{evaluator.space.name!r}, with {len(evaluator.space.radix)} decisions",
            "base",
        )
    empty = empty_base(evaluator.space, 1, sizes, len(evaluator.tasks))
    number = _renumbered(told.tasks, evaluator.tasks)
    rows = [_placed(empty, kept, number, sizes) for kept in told.replicates]
    taken = [rows[r % len(rows)] for r in range(replicates)]
    return Base(*(np.concatenate(parts) for parts in zip(*taken, strict=True)))


def space_of(told: Knowledge) -> Space:
    """Return the space that a file's knowledge is of."""
    return Space(told.space, told.positions, told.options, told.edges)


def knowledge_of(base: Base, space: Space, tasks: Sequence[str]) -> Knowledge:
    """Return a base as what is written to a file."""
    kept = tuple(_kept(base.row(r)) for r in range(len(base.seen)))
    return Knowledge(
        space.name, space.positions, space.options, space.edges, tuple(tasks), kept
    )


def _renumbered(told: Sequence[str], known: Sequence[str]) -> Numbers:
    """Return this evaluator's number of each task of a file."""
    if unknown := [name for name in told if name not in known]:
        raise Refused(
            f"this knowledge base has a task {unknown[0][:40]!r} that the space here "
            "has not",
            "base",
        )
    return np.array([list(known).index(name) for name in told], np.int64)


def _placed(empty: Base, kept: Kept, number: Numbers, sizes: Sizes) -> Base:
    room = sizes.capacity - sizes.top
    best, sample = np.flatnonzero(kept.best), np.flatnonzero(~kept.best)
    whole = kept.seen <= len(sample)
    fits = len(sample) <= room if whole else len(sample) == room
    if len(best) > sizes.top or not fits:
        top = max(len(best), 1)
        raise Refused(
            f"this knowledge base keeps {len(best)} of the best and {len(sample)} "
            f"others, and the knobs {sizes.top} and {room}; set best kept to {top} and "
            f"the capacity to {top + len(sample)}",
            "base",
        )
    places = np.concatenate([np.arange(len(best)), sizes.top + np.arange(len(sample))])
    which = np.concatenate([best, sample])
    moments = np.zeros_like(empty.moments)
    moments[0, number] = kept.moments
    rows = {"moments": moments, "seen": np.array([kept.seen], np.int64)}
    rows["filled"] = empty.filled.copy()
    rows["filled"][0, places] = 1
    for name in ("accuracy", "codes", "task", "step", "search"):
        rows[name] = getattr(empty, name).copy()
        rows[name][0, places] = getattr(kept, name)[which]
    rows["task"][0, places] = number[kept.task[which]]
    return empty._replace(**rows)


def _kept(base: Base) -> Kept:
    there = np.flatnonzero(base.filled[0])
    return Kept(
        base.codes[0, there],
        base.accuracy[0, there],
        base.task[0, there],
        base.step[0, there],
        base.search[0, there],
        there < base.top[0],
        int(base.seen[0]),
        base.moments[0],
    )
