"""A knowledge base as a file: JSON that a person can read, write and pass on.

The form, version 1:

    {"kind": "knowledge", "format": 1,
     "space": {"name": …, "positions": [names], "options": [[names] per position],
               "edges": [[from, to] per position], or [] for a list of decisions},
     "tasks": [names],
     "replicates": [{"seen": how many experiences came by,
                     "moments": [[count, mean, sum of squares around it] per task],
                     "experiences": [
       {"architecture": [an option's name per position],
        "accuracy": share from 0 to 1, or null where the training failed,
        "task": a task's name, "step": its evaluation, "search": which search,
        "kept": "best" or "sample"}]}]}

`seen` and `moments` may be left out: then the sample is all that there was, and a
task's moments are those of what is listed. `step` and `search` are 0, and `kept` is
"sample", where they are left out.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parsing import parse_json
from engine.contract.text_input import clean
from engine.data.sources.checksums import sha256
from engine.data.user.csv_store import own_path, store_bytes
from engine.data.user.json_fields import (
    Body,
    a_list,
    an_object,
    field,
    is_number,
    number,
    sized,
    words,
)

FORMAT = 1
KIND = ".knowledge"
LIMIT = 20_000_000
EXPERIENCES, REPLICATES, TASKS, POSITIONS, OPTIONS = 100_000, 64, 1000, 256, 64
Numbers = np.ndarray


@dataclass(frozen=True)
class Kept:
    """What one replicate knows.

    Args:
        codes: Shape (experience, position).
        accuracy: NaN where the training failed; shape (experience,), as the others.
        task: Position among the tasks.
        step: Evaluation of its search.
        search: Which search.
        best: Whether it is among the best; else it is of the sample.
        seen: How many experiences the sample is of.
        moments: Count, mean and squares of each task; shape (task, 3).
    """

    codes: Numbers
    accuracy: Numbers
    task: Numbers
    step: Numbers
    search: Numbers
    best: Numbers
    seen: int
    moments: Numbers


@dataclass(frozen=True)
class Knowledge:
    """A knowledge base and the space that it is of."""

    space: str
    positions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[int, int], ...]
    tasks: tuple[str, ...]
    replicates: tuple[Kept, ...]


def written(knowledge: Knowledge) -> bytes:
    """Return a knowledge base as the bytes of its file."""
    body = {
        "kind": "knowledge",
        "format": FORMAT,
        "space": {
            "name": knowledge.space,
            "positions": knowledge.positions,
            "options": knowledge.options,
            "edges": knowledge.edges,
        },
        "tasks": knowledge.tasks,
        "replicates": [_spelled(knowledge, kept) for kept in knowledge.replicates],
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _spelled(knowledge: Knowledge, kept: Kept) -> Body:
    experiences = [
        {
            "architecture": [
                names[o] for names, o in zip(knowledge.options, codes, strict=True)
            ],
            "accuracy": float(accuracy) if np.isfinite(accuracy) else None,
            "task": knowledge.tasks[kept.task[i]],
            "step": int(kept.step[i]),
            "search": int(kept.search[i]),
            "kept": "best" if kept.best[i] else "sample",
        }
        for i, (codes, accuracy) in enumerate(
            zip(kept.codes, kept.accuracy, strict=True)
        )
    ]
    moments = kept.moments.tolist()
    return {"seen": kept.seen, "moments": moments, "experiences": experiences}


def read_knowledge(data: bytes) -> Knowledge:
    """Read a knowledge base.

    Raises:
        Refused: If it is none, in one sentence.
    """
    body = an_object(parse_json(data, LIMIT), "this file")
    if body.get("kind") != "knowledge":
        raise Refused('this is no knowledge base: its "kind" must be "knowledge"')
    newest = number(body, "format", "this file", (1, 1e9))
    if newest > FORMAT:
        raise Refused(
            f"this knowledge base has format {newest:g}; this Metascope reads up to "
            f"{FORMAT}",
            "format",
        )
    space = an_object(field(body, "space", "this file"), "space")
    positions = words(field(space, "positions", "space"), "positions", POSITIONS)
    options = tuple(
        words(each, f"options of {position}", OPTIONS)
        for each, position in zip(
            sized(field(space, "options", "space"), len(positions), "options"),
            positions,
            strict=True,
        )
    )
    tasks = words(field(body, "tasks", "this file"), "tasks", TASKS)
    (name,) = words([field(space, "name", "space")], "the name of the space", 1)
    edges = _edges(field(space, "edges", "space"), len(positions))
    bare = Knowledge(name, positions, options, edges, tasks, ())
    rows = a_list(field(body, "replicates", "this file"), "replicates", REPLICATES)
    kept = tuple(_kept(bare, row, i) for i, row in enumerate(rows))
    return Knowledge(bare.space, positions, options, edges, tasks, kept)


def _kept(told: Knowledge, row: Any, which: int) -> Kept:
    where = f"replicate {which + 1}"
    body = an_object(row, where)
    listed = field(body, "experiences", where)
    found = [
        _experience(told, each, f"{where}, experience {i + 1}")
        for i, each in enumerate(a_list(listed, "experiences", EXPERIENCES))
    ]
    columns = list(zip(*found, strict=True))
    accuracy, task = np.array(columns[1], np.float64), np.array(columns[2], np.int64)
    best = np.array(columns[5], bool)
    sampled = int((~best).sum())
    seen = int(number(body, "seen", where, (sampled, 1e15), sampled))
    moments = _moments(body, accuracy, task, len(told.tasks), where)
    return Kept(
        np.array(columns[0], np.int64),
        accuracy,
        task,
        np.array(columns[3], np.int64),
        np.array(columns[4], np.int64),
        best,
        seen,
        moments,
    )


def _experience(told: Knowledge, row: Any, where: str) -> tuple[Any, ...]:
    body = an_object(row, where)
    names = sized(
        field(body, "architecture", where), len(told.positions), f"{where}: options"
    )
    codes = []
    for name, position, options in zip(
        names, told.positions, told.options, strict=True
    ):
        if name not in options:
            raise Refused(
                f"{where}: {position} has no option {clean(str(name))[:40]!r}; one of "
                f"{', '.join(options)}",
                "architecture",
            )
        codes.append(options.index(name))
    accuracy = float("nan")
    if field(body, "accuracy", where) is not None:
        accuracy = number(body, "accuracy", where, (0.0, 1.0))
    task = field(body, "task", where)
    if task not in told.tasks:
        raise Refused(
            f"{where}: there is no task {clean(str(task))[:40]!r} among its tasks",
            "task",
        )
    kept = body.get("kept", "sample")
    if kept not in ("best", "sample"):
        raise Refused(f'{where}: kept must be "best" or "sample"', "kept")
    if kept == "best" and np.isnan(accuracy):
        raise Refused(f"{where}: a failed training is not among the best", "kept")
    step, search = (
        int(number(body, name, where, (0, 1e12), 0)) for name in ("step", "search")
    )
    return tuple(codes), accuracy, told.tasks.index(task), step, search, kept == "best"


def _moments(
    body: Body, accuracy: Numbers, task: Numbers, tasks: int, where: str
) -> Numbers:
    if "moments" not in body:
        found = np.zeros((tasks, 3))
        for t in np.unique(task):
            mine = accuracy[(task == t) & np.isfinite(accuracy)]
            if len(mine):
                squares = ((mine - mine.mean()) ** 2).sum()
                found[t] = len(mine), mine.mean(), squares
        return found
    rows = sized(body["moments"], tasks, f"{where}: moments")
    triples = [sized(row, 3, f"{where}: each of moments") for row in rows]
    if not all(is_number(x) and 0 <= x <= 1e15 for row in triples for x in row):
        raise Refused(f"{where}: moments must be numbers from 0 on", "moments")
    return np.array(triples, np.float64)


def store_knowledge(data: bytes) -> str:
    """Keep a knowledge base that can be read; return its digest.

    Raises:
        Refused: If it cannot be read or kept.
    """
    read_knowledge(data)
    digest = sha256(data)
    store_bytes(own_path(digest, KIND), data)
    return digest


def knowledge_path(path: Path) -> bytes:
    """Return the bytes of a file that the command line names.

    Raises:
        Refused: If it cannot be read or is too large.
    """
    try:
        size = path.stat().st_size
        if size > LIMIT:
            raise Refused(f"{path.name} has {size:,} bytes; at most {LIMIT:,} are read")
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise Refused(f"{path.name} cannot be read: {reason}") from None


def kept_knowledge(digest: str) -> Knowledge:
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
    return read_knowledge(data)


def _edges(value: Any, positions: int) -> tuple[tuple[int, int], ...]:
    if value == []:
        return ()
    pairs = [sized(e, 2, "each of edges") for e in sized(value, positions, "edges")]
    if not all(isinstance(n, int) and 0 <= n <= POSITIONS for e in pairs for n in e):
        raise Refused(f"edges must lead from node to node, 0 to {POSITIONS}", "edges")
    return tuple((a, b) for a, b in pairs)
