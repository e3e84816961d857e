"""Import a knowledge base from a file, and export it to one."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

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


def initial_base(
    digest: str, tasks: SearchBatch, replicates: int, sizes: BaseSizes
) -> KnowledgeBase:
    """Return the initial base: an imported one, or an empty one.

    Args:
        digest: sha256 of the imported file; empty for none.
        tasks: The searches; the base must belong to their evaluator's space.
        replicates: Number of replicates; those of the file are repeated if fewer.
        sizes: Size of the base.

    Raises:
        Refused: If the file is absent, of another space, or does not fit the sizes.
    """
    if not digest:
        evaluator = tasks.evaluator
        return empty_base(evaluator.space, replicates, sizes, len(evaluator.tasks))
    return import_base(stored_knowledge(digest), tasks, replicates, sizes)


def import_base(
    knowledge: Knowledge, tasks: SearchBatch, replicates: int, sizes: BaseSizes
) -> KnowledgeBase:
    """Return the content of a file as a base.

    Args:
        knowledge: Content of the file.
        tasks: The searches; the base must belong to their evaluator's space.
        replicates: Number of replicates; those of the file are repeated if fewer.
        sizes: Size of the base.

    Raises:
        Refused: If it belongs to another space, or does not fit the sizes.
    """
    evaluator, record = tasks.evaluator, knowledge.space
    space = Space(record.name, record.positions, record.options, record.edges)
    if not (space_fingerprint(space) == space_fingerprint(evaluator.space)).all():
        raise Refused(
            f"this knowledge base belongs to the space {space.name!r}; the searched "
            f"space is {evaluator.space.name!r}, with {len(evaluator.space.radix)} "
            "decisions",
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
    """Return a base as the bytes of a file.

    Args:
        base: All replicates are written.
        space: The evaluator's space.
        tasks: Names of the evaluator's tasks, in order.
    """
    record = SpaceRecord.model_construct(
        name=space.name,
        positions=space.positions,
        options=space.options,
        edges=space.edges,
    )
    return knowledge_bytes(record, tasks, base._asdict(), int(base.top[0]))


def _task_numbers(
    given: Sequence[str], known: Sequence[str]
) -> Int[np.ndarray, " file_task"]:
    """Return the evaluator's index of each task of a file."""
    if unknown := [name for name in given if name not in known]:
        raise Refused(
            f"this knowledge base has a task {unknown[0][:40]!r} that this space lacks",
            "base",
        )
    return np.array([list(known).index(name) for name in given], np.int64)


def _fill_base(
    empty: KnowledgeBase,
    knowledge: Knowledge,
    replicate: int,
    number: Int[np.ndarray, " file_task"],
) -> KnowledgeBase:
    """Return an empty base filled with one replicate's experiences."""
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
    """Refuse a file that does not fit the sizes of the base."""
    # A sample of more experiences than it holds is uniform only at its own size.
    fits = sample <= room if seen <= sample else sample == room
    if best > top or not fits:
        needed = max(best, 1)
        raise Refused(
            f"this knowledge base keeps {best} of the best and {sample} others, but "
            f"the knobs allow {top} and {room}; set best kept to {needed} and the "
            f"capacity to {needed + sample}",
            "base",
        )
