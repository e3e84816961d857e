"""A run's row in the table `facts`: what lists show, sort and filter by.

It is derived from the run's spec, summary and annotations, and written anew with each
of them, so that a list of ten thousand runs reads no summary.
"""

import json
import math
import sqlite3
from collections.abc import Iterable
from typing import Any

from engine.contract.run_facts import RunFacts, make_facts
from engine.store.row_seals import matches_seal, seal

ANNOTATIONS = "annotations"  # the name of the text with the user's tags and note
SOURCES = frozenset({"spec", "summary", ANNOTATIONS})
_COLUMNS = "key, kind, call, value, words, numbers, tags, body, seal"


def refresh(db: sqlite3.Connection, key: str) -> None:
    """Write a run's facts anew from its texts; without a spec there are none.

    Args:
        db: An open write transaction.
        key: The run's key.
    """
    texts = _read_sources(db, key)
    if "spec" not in texts:
        return
    try:
        facts = make_facts(texts["spec"], texts.get("summary"), texts.get(ANNOTATIONS))
    # A list without its facts is better than a store that cannot be opened.
    except (KeyError, TypeError, ValueError, AttributeError):
        return
    row = _as_row(key, facts)
    sealed = (*row, seal(*row))
    marks = ", ".join("?" for _ in sealed)
    db.execute(f"INSERT OR REPLACE INTO facts VALUES ({marks})", sealed)


def refresh_all(db: sqlite3.Connection) -> None:
    """Write the facts of every run, for a store that had none."""
    for (key,) in db.execute("SELECT key FROM runs").fetchall():
        refresh(db, key)


def find_all(db: sqlite3.Connection, keys: Iterable[str]) -> dict[str, RunFacts]:
    """Return the facts of runs by key; those that fail their seal are left out."""
    asked = (
        f"SELECT {_COLUMNS} FROM facts WHERE key IN (SELECT value FROM json_each(?))"
    )
    found = db.execute(asked, (json.dumps(list(keys)),)).fetchall()
    return {
        row[0]: RunFacts.from_json(row[-2])
        for row in found
        if matches_seal(row[-1], *row[:-1])
    }


def list_stale(db: sqlite3.Connection) -> list[str]:
    """Return the runs whose facts are missing or fail their seal."""
    keys = [key for (key,) in db.execute("SELECT key FROM runs").fetchall()]
    return sorted(set(keys) - find_all(db, keys).keys())


def forget(db: sqlite3.Connection, key: str) -> None:
    """Delete a run's facts."""
    db.execute("DELETE FROM facts WHERE key = ?", (key,))


def _read_sources(db: sqlite3.Connection, key: str) -> dict[str, Any]:
    marks = ", ".join("?" for _ in SOURCES)
    asked = f"SELECT name, text, seal FROM texts WHERE key = ? AND name IN ({marks})"
    return {
        name: json.loads(text)
        for name, text, sealed in db.execute(asked, (key, *SOURCES)).fetchall()
        if matches_seal(sealed, key, name, text)
    }


def _as_row(key: str, facts: RunFacts) -> tuple[str | float | None, ...]:
    answer = facts.answer
    value = answer.value if answer else None
    # SQLite's JSON knows neither NaN nor infinity.
    finite = {name: v for name, v in facts.numbers.items() if math.isfinite(v)}
    return (
        key,
        facts.kind,
        answer.call if answer else "",
        value if value is not None and math.isfinite(value) else None,
        " ".join((facts.question.in_words(), *facts.tags, facts.note)),
        json.dumps(finite),
        json.dumps(facts.tags),
        facts.to_json(),
    )
