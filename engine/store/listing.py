"""Jobs as lists: what the runs page asks, fast over ten thousand runs."""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from engine.contract.jobs import Job, JobState
from engine.store import leases, run_rows
from engine.store.index import Index


class JobFilter(NamedTuple):
    """Which jobs are asked for."""

    states: Iterable[JobState] | None = None
    text: str = ""
    kind: str | None = "run"
    workspace: str | None = None


def job(index: Index, key: str) -> Job | None:
    """Return one job with its traceback, or none."""

    def ask(db: sqlite3.Connection) -> Job | None:
        row = run_rows.find(db, key)
        if row is None:
            return None
        trace = "" if row.damaged else run_rows.get_text(db, key, "traceback") or ""
        return replace(_as_jobs(db, [row])[0], traceback=trace)

    return index.read(ask)


def jobs(index: Index, wish: JobFilter, limit: int, offset: int) -> list[Job]:
    """Return the jobs asked for, newest first."""
    where, values = _where_clause(wish)
    asked = (
        f"SELECT {run_rows.COLUMNS} FROM runs WHERE {where}"
        " ORDER BY created DESC, key LIMIT ? OFFSET ?"
    )

    def ask(db: sqlite3.Connection) -> list[Job]:
        found = db.execute(asked, (*values, limit, offset)).fetchall()
        return _as_jobs(db, [run_rows.parse_row(each) for each in found])

    return index.read(ask)


def count(index: Index, wish: JobFilter) -> int:
    """Count the jobs asked for."""
    where, values = _where_clause(wish)
    asked = f"SELECT count(*) FROM runs WHERE {where}"
    return index.read(lambda db: int(db.execute(asked, values).fetchone()[0]))


def _where_clause(wish: JobFilter) -> tuple[str, list[object]]:
    parts: list[str] = ["1"]
    values: list[object] = []
    if wish.kind is not None:
        parts, values = ["kind = ?"], [wish.kind]
    if wish.states is not None:
        states = [str(state) for state in wish.states]
        parts.append(f"state IN ({', '.join('?' for _ in states)})")
        values.extend(states)
    for word in wish.text.split():
        parts.append("(title || ' ' || about || ' ' || key) LIKE ? ESCAPE '\\'")
        values.append(f"%{_escape_like(word)}%")
    if wish.workspace is not None:
        parts.append("workspace = ?")
        values.append(wish.workspace)
    return " AND ".join(parts), values


def _escape_like(word: str) -> str:
    for special in "\\%_":
        word = word.replace(special, "\\" + special)
    return word


def _as_jobs(db: sqlite3.Connection, found: list[run_rows.RunRow]) -> list[Job]:
    """Add what changes by itself: places in the queue and signs of life."""
    states = {row.state for row in found}
    beats = leases.heartbeat_ages(db) if JobState.RUNNING in states else {}
    places = _queue_positions(db) if JobState.QUEUED in states else {}
    return [
        row.to_job(beat=beats.get(row.key), position=places.get(row.key))
        for row in found
    ]


def _queue_positions(db: sqlite3.Connection) -> dict[str, int]:
    found = db.execute(
        "SELECT key FROM runs WHERE state = ? ORDER BY turn", (JobState.QUEUED,)
    )
    return {key: place for place, (key,) in enumerate(found, start=1)}
