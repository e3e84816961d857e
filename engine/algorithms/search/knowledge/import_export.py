"""Between a knowledge base and its file."""

from collections.abc import Sequence

import numpy as np

from engine.algorithms.search.knowledge.knowledge_base import (
    BaseSizes,
    KnowledgeBase,
    empty_base,
    space_fingerprint,
)
from engine.contract.errors import Refused
from engine.data.user.knowledge_file import knowledge_bytes, stored_knowledge
from engine.data.user.knowledge_records import Knowledge, SpaceRecord
from engine.protocol import SearchBatch, Space

Numbers = np.ndarray


def initial_base(
    digest: str, tasks: SearchBatch, replicates: int, sizes: BaseSizes
) -> KnowledgeBase:
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
    return import_base(stored_knowledge(digest), tasks, replicates, sizes)


def import_base(
    knowledge: Knowledge, tasks: SearchBatch, replicates: int, sizes: BaseSizes
) -> KnowledgeBase:
    """Return a file's knowledge as a base.

    Raises:
        Refused: If it is of another space, or larger than what is kept.
    """
    evaluator, record = tasks.evaluator, knowledge.space
    space = Space(record.name, record.positions, record.options, record.edges)
    if not (space_fingerprint(space) == space_fingerprint(evaluator.space)).all():
        raise Refused(
            f"this knowledge base is of the space {space.name!r}; what is searched is "
            f"{evaluator.space.name!r}, with {len(evaluator.space.radix)} decisions",
            "base",
        )
    empty = empty_base(evaluator.space, 1, sizes, len(evaluator.tasks))
    number = _task_numbers(knowledge.tasks, evaluator.tasks)
    rows = [
        _fill_base(empty, knowledge, r, number)
        for r in range(len(knowledge.replicates))
    ]
    repeated = [rows[r % len(rows)] for r in range(replicates)]
    return KnowledgeBase(
        *(np.concatenate(parts) for parts in zip(*repeated, strict=True))
    )


def export_base(base: KnowledgeBase, space: Space, tasks: Sequence[str]) -> bytes:
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


def _fill_base(
    empty: KnowledgeBase, knowledge: Knowledge, replicate: int, number: Numbers
) -> KnowledgeBase:
    """Return an empty base with one replicate's experiences in their places."""
    entries, seen = knowledge.entries[replicate], knowledge.experience_count(replicate)
    best, sample = np.flatnonzero(entries.best), np.flatnonzero(~entries.best)
    top = int(empty.top[0])
    _check_room(empty.filled.shape[1] - top, top, len(best), len(sample), seen)
    places = np.concatenate([np.arange(len(best)), top + np.arange(len(sample))])
    ordered = entries.take(np.concatenate([best, sample]))
    ordered = ordered._replace(task=number[ordered.task])
    moments = np.zeros_like(empty.moments)
    moments[0, number] = knowledge.moments(replicate)
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
