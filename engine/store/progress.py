"""How far a run is, for the person who waits."""

import sqlite3
import time
from typing import NamedTuple

from engine.contract.jobs import JobState
from engine.store import run_rows
from engine.store.index import Index


class Progress(NamedTuple):
    """`done` is the share of the whole run, 0 to 1; `eta` seconds, if known."""

    stage: str
    done: float
    text: str
    eta: float | None


def progress(index: Index, key: str) -> Progress:
    """Return how far a run is and how long the rest takes at the pace so far."""

    def ask(db: sqlite3.Connection) -> Progress:
        row = run_rows.get(db, key)
        eta = _eta(db, row) if row.state == JobState.RUNNING else None
        return Progress(row.stage, row.done, row.note, eta)

    return index.read(ask)


def _eta(db: sqlite3.Connection, row: run_rows.RunRow) -> float | None:
    found = db.execute(
        "SELECT began, share FROM leases WHERE key = ? AND revoked IS NULL",
        (row.key,),
    ).fetchone()
    if found is None or row.done - found[1] < 0.01:
        return None
    pace = (time.monotonic() - found[0]) / (row.done - found[1])
    return float(max(0.0, pace * (1.0 - row.done)))
