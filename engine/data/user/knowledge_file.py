"""A knowledge base as a file: JSON that a person can read, write and pass on."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import ValidationError

from engine.contract.errors import Refused
from engine.contract.parsing import parse_json
from engine.contract.plain_errors import first_refusal
from engine.data.sources.checksums import sha256
from engine.data.user.csv_store import own_path, store_bytes
from engine.data.user.knowledge_records import (
    FORMAT,
    ExperienceArrays,
    ExperienceRecord,
    Knowledge,
    Numbers,
    Replicate,
    SpaceRecord,
    experience_arrays,
)

KIND = ".knowledge"
LIMIT = 20_000_000  # bytes


def knowledge_bytes(
    space: SpaceRecord, tasks: Sequence[str], base: Mapping[str, Numbers], top: int
) -> bytes:
    """Return a base as the bytes of its file; it is ours, and not checked again.

    Args:
        space: What it is of.
        tasks: Names of the tasks.
        base: The arrays of a `KnowledgeBase`, by name.
        top: How many of its places are for the best.
    """
    replicates = tuple(
        Replicate.model_construct(
            seen=int(base["seen"][r]),
            moments=tuple(map(tuple, base["moments"][r].tolist())),
            experiences=_experience_records(
                experience_arrays(base, r, top), space, tasks
            ),
        )
        for r in range(len(base["filled"]))
    )
    knowledge = Knowledge.model_construct(
        kind="knowledge",
        format=FORMAT,
        space=space,
        tasks=tuple(tasks),
        replicates=replicates,
    )
    body = knowledge.model_dump()
    return json.dumps(body, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _experience_records(
    entries: ExperienceArrays, space: SpaceRecord, tasks: Sequence[str]
) -> tuple[ExperienceRecord, ...]:
    rows = zip(*(column.tolist() for column in entries), strict=True)
    return tuple(
        ExperienceRecord.model_construct(
            architecture=tuple(
                names[code] for names, code in zip(space.options, codes, strict=True)
            ),
            accuracy=accuracy if np.isfinite(accuracy) else None,
            task=tasks[task],
            step=step,
            search=search,
            kept="best" if best else "sample",
        )
        for codes, accuracy, task, step, search, best in rows
    )


def read_knowledge(
    data: bytes, extra: Literal["forbid", "ignore"] = "forbid"
) -> Knowledge:
    """Read a knowledge base.

    Args:
        data: The file.
        extra: What becomes of fields that are none of a knowledge base's.

    Raises:
        Refused: If it is none, in one sentence.
    """
    body = parse_json(data, LIMIT)
    if not isinstance(body, dict) or body.get("kind") != "knowledge":
        raise Refused(
            'this is no knowledge base: it must be a JSON object whose "kind" is '
            '"knowledge"'
        )
    try:
        return Knowledge.model_validate(body, extra=extra)
    except ValidationError as error:
        raise first_refusal(error) from None


def store_knowledge(data: bytes) -> str:
    """Keep a knowledge base that can be read; return its digest.

    Raises:
        Refused: If it cannot be read or kept.
    """
    read_knowledge(data)
    digest = sha256(data)
    store_bytes(own_path(digest, KIND), data)
    return digest


def stored_knowledge(digest: str) -> Knowledge:
    """Return a knowledge base that was imported.

    Raises:
        Refused: If it is not here, or is not what it was.
    """
    try:
        data = own_path(digest, KIND).read_bytes()
    except OSError:
        raise Refused(
            f"this run needs the knowledge base with sha256 {digest}; import its file "
            "with `python -m engine knowledge import FILE`",
            "base",
        ) from None
    if sha256(data) != digest:
        raise Refused(
            f"the kept knowledge base {digest[:12]} is damaged; import it again", "base"
        )
    # Earlier versions took in files with fields of their own.
    return read_knowledge(data, extra="ignore")
