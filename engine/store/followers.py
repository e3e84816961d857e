"""Which workspaces wait for a run of the shared store.

Each is a text of the run, `follower:<workspace>`; a run that is still computed is
cancelled only once nobody follows it.
"""

import sqlite3
from typing import Any

from engine.contract.jobs import ALIVE, JobState
from engine.store import run_rows
from engine.store.index import Index

PREFIX = "follower:"
_IS_FOLLOWER = f"name >= '{PREFIX}' AND name < 'follower;'"  # ; follows : in ASCII


def follow(index: Index, key: str, workspace: str) -> None:
    """Note that a workspace waits for a run."""

    def change(db: sqlite3.Connection) -> None:
        if run_rows.find(db, key) is not None:
            run_rows.put_text(db, key, PREFIX + workspace, True)
            run_rows.recount(db, key)

    index.write(change)


def leave(index: Index, key: str, workspace: str, operator: str) -> bool:
    """Note that a workspace no longer waits for a run.

    Args:
        index: The shared store's index.
        key: The run's key.
        workspace: The workspace that leaves.
        operator: The workspace of the operator, whose runs no visitor cancels.

    Returns:
        Whether the run is still computed and nobody waits for it any more.
    """

    def change(db: sqlite3.Connection) -> bool:
        row = run_rows.find(db, key)
        if row is None:
            return False
        name = PREFIX + workspace
        db.execute("DELETE FROM texts WHERE key = ? AND name = ?", (key, name))
        run_rows.recount(db, key)
        is_alive = JobState(row.state) in ALIVE and row.workspace != operator
        return is_alive and not texts_of(db, key)

    return index.write(change, last_resort=True)


def texts_of(db: sqlite3.Connection, key: str) -> dict[str, Any]:
    """Return the texts of a run that name its followers."""
    asked = f"SELECT name FROM texts WHERE key = ? AND {_IS_FOLLOWER}"
    return {name: True for (name,) in db.execute(asked, (key,)).fetchall()}
