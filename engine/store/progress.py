"""A run's progress, and an estimate of the time left."""

import sqlite3
import time
from typing import NamedTuple

from engine.contract.jobs import JobState
from engine.store import run_rows
from engine.store.index import Index

STEADY = 3.0  # seconds of work from which on the time left can be told
STEADY_SHARE = 0.03  # of a run; below, its pace is that of its first stages


class Progress(NamedTuple):
    """How far a run is.

    Args:
        stage: The current stage, in words.
        done: Share of the whole run that is done, 0 to 1.
        text: What the loop last reported.
        eta: Estimated seconds left; None where that is not known.
    """

    stage: str
    done: float
    text: str
    eta: float | None


def progress(index: Index, key: str) -> Progress:
    """Return a run's progress, with the time left at its average pace so far.

    Raises:
        NoRun: If there is no such run.
    """

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
    if found is None:
        return None
    took, share = time.monotonic() - found[0], row.done - found[1]
    # The first stages say little of the pace of all.
    if took < STEADY or share < STEADY_SHARE:
        return None
    return float(max(0.0, took / share * (1.0 - row.done)))
