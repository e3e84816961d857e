"""Files of knowledge bases: reading, writing and storing them as JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Shaped
from pydantic import ValidationError

from engine.contract.errors import Refused
from engine.contract.parsing import parse_json
from engine.contract.validation_messages import first_refusal
from engine.data.sources.checksums import sha256
from engine.data.user.csv_store import own_path, store_bytes
from engine.data.user.knowledge_records import (
    FORMAT,
    ExperienceArrays,
    ExperienceRecord,
    Knowledge,
    Replicate,
    SpaceRecord,
    experience_arrays,
)

KIND = ".knowledge"
LIMIT = 20_000_000  # bytes


def knowledge_bytes(
    space: SpaceRecord,
    tasks: Sequence[str],
    base: Mapping[str, Shaped[np.ndarray, "replicate ..."]],
    top: int,
) -> bytes:
    """Return a knowledge base as the bytes of its file.

    Args:
        space: The search space.
        tasks: Names of the tasks.
        base: The arrays of a `KnowledgeBase`, by name.
        top: Number of places for the best; the others are for the sample.

    Returns:
        JSON in UTF-8.
    """
    # model_construct skips validation: the engine's own arrays need none.
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
        data: The file's bytes.
        extra: Whether unknown fields are refused ("forbid") or ignored.

    Raises:
        Refused: If it is not a knowledge base; the sentence names the field.
    """
    body = parse_json(data, LIMIT)
    if not isinstance(body, dict) or body.get("kind") != "knowledge":
        raise Refused(
            'this is not a knowledge base: it must be a JSON object whose "kind" is '
            '"knowledge"'
        )
    try:
        return Knowledge.model_validate(body, extra=extra)
    except ValidationError as error:
        raise first_refusal(error) from None


def store_knowledge(data: bytes) -> str:
    """Validate and store a knowledge base; return its SHA-256.

    Args:
        data: The file's bytes.

    Raises:
        Refused: If it is invalid or cannot be stored.
    """
    read_knowledge(data)
    digest = sha256(data)
    store_bytes(own_path(digest, KIND), data)
    return digest


def stored_knowledge(digest: str) -> Knowledge:
    """Return a stored knowledge base.

    Args:
        digest: SHA-256 of its file.

    Raises:
        Refused: If it is not stored, or is damaged.
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
            f"the stored knowledge base {digest[:12]} is damaged; import it again",
            "base",
        )
    # Earlier versions accepted files with extra fields, and runs refer to them.
    return read_knowledge(data, extra="ignore")
