"""Which workspaces wait for a run of the shared store.

Each is a text of the run, `follower:<workspace>`; a run that is still computed is
cancelled only once nobody follows it.
"""

import sqlite3
from typing import Any

from engine.store import run_rows

PREFIX = "follower:"
_IS_FOLLOWER = f"name >= '{PREFIX}' AND name < 'follower;'"  # ; follows : in ASCII


def add(db: sqlite3.Connection, key: str, workspace: str) -> None:
    """Note that a workspace waits for a run."""
    run_rows.put_text(db, key, PREFIX + workspace, True)
    run_rows.recount(db, key)


def remove(db: sqlite3.Connection, key: str, workspace: str) -> None:
    """Note that a workspace no longer waits for a run."""
    name = PREFIX + workspace
    db.execute("DELETE FROM texts WHERE key = ? AND name = ?", (key, name))
    run_rows.recount(db, key)


def workspaces(db: sqlite3.Connection, key: str) -> list[str]:
    """Return the workspaces that wait for a run."""
    return [name.removeprefix(PREFIX) for name in texts_of(db, key)]


def texts_of(db: sqlite3.Connection, key: str) -> dict[str, Any]:
    """Return the texts of a run that name its followers."""
    asked = f"SELECT name FROM texts WHERE key = ? AND {_IS_FOLLOWER}"
    return {name: True for (name,) in db.execute(asked, (key,)).fetchall()}
