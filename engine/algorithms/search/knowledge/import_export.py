"""Between a knowledge base and its file."""

from collections.abc import Sequence

import numpy as np

from engine.algorithms.search.knowledge.base import Base, Sizes, empty_base, fingerprint
from engine.contract.errors import Refused
from engine.data.user.knowledge_file import knowledge_bytes, stored_knowledge
from engine.data.user.knowledge_records import Knowledge, SpaceRecord
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
    return base_of(stored_knowledge(digest), tasks, replicates, sizes)


def base_of(given: Knowledge, tasks: Spaces, replicates: int, sizes: Sizes) -> Base:
    """Return a file's knowledge as a base.

    Raises:
        Refused: If it is of another space, or larger than what is kept.
    """
    evaluator, record = tasks.evaluator, given.space
    space = Space(record.name, record.positions, record.options, record.edges)
    if not (fingerprint(space) == fingerprint(evaluator.space)).all():
        raise Refused(
            f"this knowledge base is of the space {space.name!r}; what is searched is "
            f"{evaluator.space.name!r}, with {len(evaluator.space.radix)} decisions",
            "base",
        )
    empty = empty_base(evaluator.space, 1, sizes, len(evaluator.tasks))
    number = _task_numbers(given.tasks, evaluator.tasks)
    rows = [_fill(empty, given, r, number) for r in range(len(given.replicates))]
    repeated = [rows[r % len(rows)] for r in range(replicates)]
    return Base(*(np.concatenate(parts) for parts in zip(*repeated, strict=True)))


def export_base(base: Base, space: Space, tasks: Sequence[str]) -> bytes:
    """Return a base as the bytes of a file."""
    record = SpaceRecord.model_construct(
        name=space.name,
        positions=space.positions,
        options=space.options,
        edges=space.edges,
    )
    return knowledge_bytes(record, tasks, base._asdict(), int(base.top[0]))


def _task_numbers(given: Sequence[str], known: Sequence[str]) -> Numbers:
    """Return this evaluator's number of each task of a file."""
    if unknown := [name for name in given if name not in known]:
        raise Refused(
            f"this knowledge base has a task {unknown[0][:40]!r} that the space here "
            "has not",
            "base",
        )
    return np.array([list(known).index(name) for name in given], np.int64)


def _fill(empty: Base, given: Knowledge, replicate: int, number: Numbers) -> Base:
    """Return an empty base with one replicate's experiences in their places."""
    entries, seen = given.entries[replicate], given.seen(replicate)
    best, sample = np.flatnonzero(entries.best), np.flatnonzero(~entries.best)
    top = int(empty.top[0])
    _check_room(empty.filled.shape[1] - top, top, len(best), len(sample), seen)
    places = np.concatenate([np.arange(len(best)), top + np.arange(len(sample))])
    ordered = entries.take(np.concatenate([best, sample]))
    ordered = ordered._replace(task=number[ordered.task])
    moments = np.zeros_like(empty.moments)
    moments[0, number] = given.moments(replicate)
    rows = {"moments": moments, "seen": np.array([seen], np.int64)}
    rows["filled"] = empty.filled.copy()
    rows["filled"][0, places] = 1
    for name in ("accuracy", "codes", "task", "step", "search"):
        rows[name] = getattr(empty, name).copy()
        rows[name][0, places] = getattr(ordered, name)
    return empty._replace(**rows)


def _check_room(room: int, top: int, best: int, sample: int, seen: int) -> None:
    """Refuse what does not fit: a sample of more than it lists only at its own size."""
    fits = sample <= room if seen <= sample else sample == room
    if best > top or not fits:
        needed = max(best, 1)
        raise Refused(
            f"this knowledge base keeps {best} of the best and {sample} others, and "
            f"the knobs {top} and {room}; set best kept to {needed} and the capacity "
            f"to {needed + sample}",
            "base",
        )
