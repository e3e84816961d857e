"""Queries for jobs: filtered, sorted, in pages; fast over ten thousand runs."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from engine.contract.jobs import Job, JobState
from engine.store import leases, run_rows
from engine.store.index import Index


class JobFilter(NamedTuple):
    """Which jobs a query returns; see `Store.jobs` for the fields."""

    states: Iterable[JobState] | None = None
    text: str = ""
    kind: str | None = "run"
    workspace: str | None = None
    group: str = ""  # only the runs of this group


def job(index: Index, key: str) -> Job | None:
    """Return one job with its traceback; None if there is no such run."""

    def ask(db: sqlite3.Connection) -> Job | None:
        row = run_rows.find(db, key)
        if row is None:
            return None
        trace = "" if row.damaged else run_rows.get_text(db, key, "traceback") or ""
        return replace(_as_jobs(db, [row])[0], traceback=trace)

    return index.read(ask)


def jobs(index: Index, job_filter: JobFilter, limit: int, offset: int) -> list[Job]:
    """Return the jobs that pass a filter, newest first.

    Args:
        index: The store's index.
        job_filter: The filter.
        limit: Return at most this many.
        offset: Skip this many.
    """
    where, values = where_clause(job_filter)
    asked = (
        f"SELECT {run_rows.COLUMNS} FROM runs WHERE {where}"
        " ORDER BY created DESC, key LIMIT ? OFFSET ?"
    )

    def ask(db: sqlite3.Connection) -> list[Job]:
        found = db.execute(asked, (*values, limit, offset)).fetchall()
        return _as_jobs(db, [run_rows.parse_row(each) for each in found])

    return index.read(ask)


def count(index: Index, job_filter: JobFilter) -> int:
    """Count the jobs that pass a filter."""
    where, values = where_clause(job_filter)
    asked = f"SELECT count(*) FROM runs WHERE {where}"
    return index.read(lambda db: int(db.execute(asked, values).fetchone()[0]))


def jobs_by_key(db: sqlite3.Connection, keys: list[str]) -> list[Job]:
    """Return the jobs of these keys, in any order; unknown keys are left out."""
    named = "SELECT value FROM json_each(?)"
    asked = f"SELECT {run_rows.COLUMNS} FROM runs WHERE key IN ({named})"
    found = db.execute(asked, (json.dumps(keys),)).fetchall()
    return _as_jobs(db, [run_rows.parse_row(each) for each in found])


def where_clause(job_filter: JobFilter) -> tuple[str, list[object]]:
    """Return the SQL condition of a filter, and its values."""
    parts: list[str] = ["1"]  # always true, where nothing else is asked
    values: list[object] = []
    if job_filter.kind is not None:
        parts, values = ["kind = ?"], [job_filter.kind]
    if job_filter.states is not None:
        states = [str(state) for state in job_filter.states]
        parts.append(f"state IN ({', '.join('?' for _ in states)})")
        values.extend(states)
    for word in job_filter.text.split():
        parts.append("(title || ' ' || about || ' ' || key) LIKE ? ESCAPE '\\'")
        values.append(f"%{_escape_like(word)}%")
    if job_filter.workspace is not None:
        parts.append("workspace = ?")
        values.append(job_filter.workspace)
    if job_filter.group:
        parts.append("key IN (SELECT key FROM texts WHERE name = ?)")
        values.append(f"group:{job_filter.group}")
    return " AND ".join(parts), values


def _escape_like(word: str) -> str:
    for special in "\\%_":  # the backslash first: the others are escaped with it
        word = word.replace(special, "\\" + special)
    return word


def _as_jobs(db: sqlite3.Connection, found: list[run_rows.RunRow]) -> list[Job]:
    """Return rows as jobs, with queue positions and the ages of heartbeats."""
    states = {row.state for row in found}
    beats = leases.heartbeat_ages(db) if JobState.RUNNING in states else {}
    places = _queue_positions(db) if JobState.QUEUED in states else {}
    return [
        row.to_job(beat=beats.get(row.key), position=places.get(row.key))
        for row in found
    ]


def _queue_positions(db: sqlite3.Connection) -> dict[str, int]:
    found = db.execute(
        f"SELECT key FROM runs WHERE state = ? ORDER BY {run_rows.QUEUE_ORDER}",
        (JobState.QUEUED,),
    )
    return {key: place for place, (key,) in enumerate(found, start=1)}
