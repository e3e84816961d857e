"""Queries for jobs: filtered, sorted, in pages; fast over ten thousand runs."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from engine.contract.jobs import Job, JobState
from engine.contract.run_facts import RunFacts
from engine.store import fact_rows, leases, queue_forecast, run_rows
from engine.store.index import Index
from engine.store.number_filter import RELATIONS, NumberFilter
from engine.store.queue_forecast import Turn


class JobFilter(NamedTuple):
    """Which jobs a query returns; see `Store.jobs` for the first fields.

    Args:
        states: Only these states; None for all.
        text: Words that must occur in title, key, question, tags or note.
        kind: "run", "tuning" or "shard"; None for all.
        workspace: Only this workspace; None for all.
        group: Only the runs of this group; empty for all.
        task_kind: Only this kind of task; empty for all.
        tag: Only runs with this tag; empty for all.
        number: Only runs whose number meets this condition; None for all.
    """

    states: Iterable[JobState] | None = None
    text: str = ""
    kind: str | None = "run"
    workspace: str | None = None
    group: str = ""
    task_kind: str = ""
    tag: str = ""
    number: NumberFilter | None = None


class Order(NamedTuple):
    """How a query sorts; `by` is one of `SORTS`, and runs without it come last."""

    by: str = "created"
    descending: bool = True


NEWEST = Order()
# By column of the list. Calls are sorted from better to worse.
SORTS = {
    "created": "runs.created",
    "name": "lower(runs.title || ' ' || facts.words)",
    "state": "runs.state",
    "kind": "facts.kind",
    "call": "instr('better|equal|can''t tell yet|worse', nullif(facts.call, ''))",
    "value": "facts.value",
    "difference": "json_extract(facts.numbers, '$.difference')",
    "replicates": "json_extract(facts.numbers, '$.replicates')",
    "done": "runs.done",
}
_SEARCHED = (
    "runs.title || ' ' || runs.about || ' ' || runs.key"
    " || ' ' || coalesce(facts.words, '')"
)
JOINED = "runs LEFT JOIN facts ON facts.key = runs.key"


def job(index: Index, key: str) -> Job | None:
    """Return one job with its traceback; None if there is no such run."""

    def ask(db: sqlite3.Connection) -> Job | None:
        row = run_rows.find(db, key)
        if row is None:
            return None
        trace = "" if row.damaged else run_rows.get_text(db, key, "traceback") or ""
        return replace(_as_jobs(db, [row])[0], traceback=trace)

    return index.read(ask)


def jobs(
    index: Index,
    job_filter: JobFilter,
    limit: int,
    offset: int,
    order: Order = NEWEST,
) -> list[Job]:
    """Return the jobs that pass a filter, in an order.

    Args:
        index: The store's index.
        job_filter: The filter.
        limit: Return at most this many.
        offset: Skip this many.
        order: How they are sorted; of equals the newest is first.
    """
    where, values = where_clause(job_filter)
    columns = ", ".join(f"runs.{name}" for name in run_rows.COLUMNS.split(", "))
    asked = (
        f"SELECT {columns} FROM {JOINED} WHERE {where}"
        f" ORDER BY {order_clause(SORTS[order.by], order)},"
        " runs.created DESC, runs.key LIMIT ? OFFSET ?"
    )

    def ask(db: sqlite3.Connection) -> list[Job]:
        found = db.execute(asked, (*values, limit, offset)).fetchall()
        return _as_jobs(db, [run_rows.parse_row(each) for each in found])

    return index.read(ask)


def count(index: Index, job_filter: JobFilter) -> int:
    """Count the jobs that pass a filter."""
    where, values = where_clause(job_filter)
    asked = f"SELECT count(*) FROM {JOINED} WHERE {where}"
    return index.read(lambda db: int(db.execute(asked, values).fetchone()[0]))


def jobs_by_key(db: sqlite3.Connection, keys: list[str]) -> list[Job]:
    """Return the jobs of these keys, in any order; unknown keys are left out."""
    named = "SELECT value FROM json_each(?)"
    asked = f"SELECT {run_rows.COLUMNS} FROM runs WHERE key IN ({named})"
    found = db.execute(asked, (json.dumps(keys),)).fetchall()
    return _as_jobs(db, [run_rows.parse_row(each) for each in found])


def where_clause(job_filter: JobFilter) -> tuple[str, list[object]]:
    """Return the SQL condition on `JOINED` of a filter, and its values."""
    parts: list[str] = ["1"]  # always true, where nothing else is asked
    values: list[object] = []
    if job_filter.kind is not None:
        parts, values = ["runs.kind = ?"], [job_filter.kind]
    if job_filter.states is not None:
        states = [str(state) for state in job_filter.states]
        parts.append(f"runs.state IN ({', '.join('?' for _ in states)})")
        values.extend(states)
    for word in job_filter.text.split():
        parts.append(f"({_SEARCHED}) LIKE ? ESCAPE '\\'")
        values.append(f"%{_escape_like(word)}%")
    if job_filter.workspace is not None:
        parts.append("runs.workspace = ?")
        values.append(job_filter.workspace)
    if job_filter.group:
        parts.append("runs.key IN (SELECT key FROM texts WHERE name = ?)")
        values.append(f"group:{job_filter.group}")
    if job_filter.task_kind:
        parts.append("facts.kind = ?")
        values.append(job_filter.task_kind)
    if job_filter.tag:
        parts.append("? IN (SELECT held.value FROM json_each(facts.tags) AS held)")
        values.append(job_filter.tag)
    if (number := job_filter.number) is not None:
        # a run without this number has NULL, which no relation holds for
        sign = RELATIONS[number.relation]
        parts.append(f"json_extract(facts.numbers, '$.' || ?) {sign} ?")
        values += [json.dumps(number.name), number.value]
    return " AND ".join(parts), values


def order_clause(by: str, order: Order) -> str:
    """Return the SQL that sorts by an expression; where it is NULL comes last."""
    return f"{by} IS NULL, {by} {'DESC' if order.descending else 'ASC'}"


def facts_of(index: Index, keys: Iterable[str]) -> dict[str, RunFacts]:
    """Return what lists show of runs, by key; unknown and damaged ones are left out."""
    named = list(keys)
    return index.read(lambda db: fact_rows.find_all(db, named))


def keys_starting(index: Index, start: str) -> list[str]:
    """Return the keys of at most two runs that begin with these hex digits."""
    asked = "SELECT key FROM runs WHERE key >= ? AND key < ? AND kind = 'run' LIMIT 2"
    ends = (start, f"{start}g")  # g follows the hex digits
    return index.read(lambda db: [key for (key,) in db.execute(asked, ends)])


def all_tags(index: Index) -> list[str]:
    """Return every tag of a run, in alphabetical order."""
    asked = (
        "SELECT DISTINCT held.value FROM facts, json_each(facts.tags) AS held"
        " ORDER BY 1"
    )
    return index.read(lambda db: [tag for (tag,) in db.execute(asked)])


def _escape_like(word: str) -> str:
    for special in "\\%_":  # the backslash first: the others are escaped with it
        word = word.replace(special, "\\" + special)
    return word


def _as_jobs(db: sqlite3.Connection, found: list[run_rows.RunRow]) -> list[Job]:
    """Return rows as jobs, with queue positions and the ages of heartbeats."""
    states = {row.state for row in found}
    beats = leases.heartbeat_ages(db) if JobState.RUNNING in states else {}
    places = queue_forecast.turns(db) if JobState.QUEUED in states else {}
    return [_as_job(row, beats, places) for row in found]


def _as_job(
    row: run_rows.RunRow,
    beats: dict[str, float],
    places: dict[str, Turn],
) -> Job:
    turn = places.get(row.key)
    place, wait = turn if turn is not None else (None, None)
    return row.to_job(beat=beats.get(row.key), position=place, wait=wait)
