"""The recorded claims board: verdicts that ship with the app, measured elsewhere.

`python -m tests.record_claims` makes the file. Reading it needs neither store nor
engine, so a fresh server shows the verdicts at once; its own runs take precedence.
"""

import functools
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.client.recorded_examples import FOLDER
from engine.contract.kinds import Kind, kind_named
from engine.stats.claims_board import StudyVerdict
from engine.stats.search.transfer_matrix import CellIntervals, TransferMatrix

FILE: Path = FOLDER / "claims.json"
_NUMBERS = ("estimate", "low", "high")


class RecordedVerdict(NamedTuple):
    """A verdict that ships.

    Args:
        verdict: The verdict.
        keys: Keys of the runs that it was found by, on a CPU.
        ground: Name of the space or tasks that they were measured on.
        seconds: CPU seconds of these runs.
        machine: The processor that took them.
    """

    verdict: StudyVerdict
    keys: tuple[str, ...]
    ground: str
    seconds: float
    machine: str


class ListedClaim(NamedTuple):
    """A claim as the board lists it before the catalogue is ready.

    Args:
        name: Its study's name.
        title: Short title.
        sentence: The claim.
        protocol: How it is tested.
        ground: What it is measured on.
        matrix: Whether its runs fill a transfer matrix.
        kind: Name of the kind of task.
        runs: How many runs test it.
    """

    name: str
    title: str
    sentence: str
    protocol: str
    ground: str
    matrix: bool
    kind: str
    runs: int


class RecordedMatrix(NamedTuple):
    """A transfer matrix that ships, and that of its negative control, if any."""

    found: TransferMatrix
    control: TransferMatrix | None


class RecordedBoard(NamedTuple):
    """All claims in their order, and what was recorded of them, by name."""

    claims: tuple[ListedClaim, ...]
    verdicts: dict[str, RecordedVerdict]
    matrices: dict[str, RecordedMatrix]


@functools.cache
def read_board() -> RecordedBoard:
    """Return the board that ships; empty if the file is missing."""
    if not FILE.exists():
        return RecordedBoard((), {}, {})
    body = json.loads(FILE.read_text())
    return RecordedBoard(
        tuple(ListedClaim(**claim) for claim in body["claims"]),
        {name: _read_verdict(body, held) for name, held in body["verdicts"].items()},
        {name: _read_matrices(held) for name, held in body["matrices"].items()},
    )


def kind_of_claim(name: str) -> Kind | None:
    """Return the kind of task of a listed claim; None if it is not listed."""
    kinds = {claim.name: claim.kind for claim in read_board().claims}
    return kind_named(kinds[name]) if name in kinds else None


def _read_verdict(body: dict[str, Any], held: dict[str, Any]) -> RecordedVerdict:
    found = dict(held["found"])
    # JSON has no NaN: an end that is missing is null.
    found |= {x: math.nan if found[x] is None else found[x] for x in _NUMBERS}
    found |= {"claimed": tuple(found["claimed"]), "rows": _read_rows(found["rows"])}
    keys = tuple(held["keys"])
    seconds = sum(body["runs"].get(key, 0.0) for key in keys)
    return RecordedVerdict(
        StudyVerdict(**found), keys, held["ground"], seconds, body["machine"]
    )


def _read_rows(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {name: math.nan if value is None else value for name, value in row.items()}
        for row in rows
    )


def _read_matrices(held: dict[str, Any]) -> RecordedMatrix:
    control = held.get("control")
    return RecordedMatrix(
        _read_matrix(held["found"]), _read_matrix(control) if control else None
    )


def _read_matrix(body: dict[str, Any]) -> TransferMatrix:
    read: dict[str, Any] = {}
    for name, kind in TransferMatrix.__annotations__.items():
        value = body[name]
        if kind is CellIntervals:
            read[name] = CellIntervals(*(np.array(part, float) for part in value))
        elif name in ("level", "n"):
            read[name] = np.array(value)
        elif name == "calls":
            read[name] = tuple(map(tuple, value))
        else:
            read[name] = tuple(value) if isinstance(value, list) else value
    return TransferMatrix(**read)
