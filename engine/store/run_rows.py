"""A run's row in the index: read and checked against its seal, written as a whole."""

import json
import sqlite3
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

from engine.contract.jobs import Job, JobState, check_transition
from engine.store import fact_rows
from engine.store.errors import DamagedRun, NoRun
from engine.store.row_seals import matches_seal, seal

SHARD = "shard"  # the kind of a batch of another run, see `engine.store.shards`
# What waits longest is first; shards come after all else.
QUEUE_ORDER = f"kind = '{SHARD}', turn, created, key"


@dataclass(frozen=True)
class RunRow:
    """A run's row, in the order of the table's columns.

    `texts` lists the names of the JSON values stored for the run and `files` counts
    its files, so that a missing one is noticed, too.
    """

    key: str
    kind: str
    workspace: str
    state: str
    title: str
    about: str
    created: float
    started: float | None = None
    finished: float | None = None
    turn: int = 0
    attempt: int = 0
    lost: int = 0
    worker: str = ""
    stage: str = ""
    done: float = 0.0
    note: str = ""
    error: str = ""
    damaged: str = ""
    texts: str = ""
    files: int = 0

    def with_state(self, state: JobState, **changes: Any) -> "RunRow":
        """Return the row after a state transition.

        Args:
            state: The new state.
            changes: Other columns to set.

        Raises:
            IllegalTransition: If a job cannot make this transition.
        """
        check_transition(JobState(self.state), state)
        return replace(self, state=str(state), **changes)

    def to_job(self, **more: Any) -> Job:
        """Return the row as the job that pages and commands see."""
        return Job(
            key=self.key,
            state=JobState(self.state),
            title=self.title,
            created=self.created,
            started=self.started,
            finished=self.finished,
            attempt=self.attempt,
            worker=self.worker,
            error=self.error,
            kind=self.kind,
            about=self.about,
            stage=self.stage,
            done=self.done,
            damaged=self.damaged,
            workspace=self.workspace,
            **more,
        )


COLUMNS = ", ".join(field.name for field in fields(RunRow)) + ", seal"
_MARKS = ", ".join("?" for _ in COLUMNS.split(", "))


def parse_row(values: tuple[Any, ...]) -> RunRow:
    """Return a fetched row; one that fails its seal is marked as damaged.

    Args:
        values: The columns of `COLUMNS`.
    """
    if matches_seal(values[-1], *values[:-1]):
        return RunRow(*values[:-1])
    # Any column may be wrong, so only those that place it in a list are kept.
    return RunRow(
        key=str(values[0]),
        kind=str(values[1]),
        workspace=str(values[2]),
        state=JobState.FAILED,
        title="",
        about="",
        created=0.0,
        error="its entry in the index is damaged",
        damaged="its entry in the index",
    )


def find(db: sqlite3.Connection, key: str) -> RunRow | None:
    """Return the row of this key; None if there is none."""
    asked = f"SELECT {COLUMNS} FROM runs WHERE key = ?"
    values = db.execute(asked, (key,)).fetchone()
    return parse_row(values) if values else None


def get(db: sqlite3.Connection, key: str) -> RunRow:
    """Return the row of this key.

    Raises:
        NoRun: If there is none.
    """
    row = find(db, key)
    if row is None:
        raise NoRun(key)
    return row


def put(db: sqlite3.Connection, row: RunRow) -> RunRow:
    """Insert or replace a row with its seal; returns the row."""
    values = astuple(row)
    db.execute(
        f"INSERT OR REPLACE INTO runs VALUES ({_MARKS})",
        (*values, seal(*values)),
    )
    return row


def forget(db: sqlite3.Connection, key: str) -> None:
    """Delete a run from the index, except its leases: the caller revokes them."""
    db.execute("DELETE FROM runs WHERE key = ?", (key,))
    db.execute("DELETE FROM texts WHERE key = ?", (key,))
    db.execute("DELETE FROM payloads WHERE key = ?", (key,))
    fact_rows.forget(db, key)


def recount(db: sqlite3.Connection, key: str) -> None:
    """Update a run's lists of texts and files; ends every write that changes them."""
    names = db.execute("SELECT name FROM texts WHERE key = ? ORDER BY name", (key,))
    texts = ",".join(name for (name,) in names)
    asked = "SELECT count(*) FROM payloads WHERE key = ?"
    (held,) = db.execute(asked, (key,)).fetchone()
    put(db, replace(get(db, key), texts=texts, files=held))


def put_text(db: sqlite3.Connection, key: str, name: str, value: object) -> None:
    """Store a JSON value of a run; NaN and infinities are kept.

    Args:
        db: An open write transaction.
        key: The run's key.
        name: The value's name, such as "spec" or "summary".
        value: A JSON value.
    """
    text = json.dumps(value, separators=(",", ":"))
    db.execute(
        "INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?)",
        (key, name, text, seal(key, name, text)),
    )
    if name in fact_rows.SOURCES:
        fact_rows.refresh(db, key)


def get_text(db: sqlite3.Connection, key: str, name: str) -> Any:
    """Return a stored JSON value of a run; None if there is none.

    Args:
        db: An open transaction.
        key: The run's key.
        name: The value's name, such as "spec" or "summary".

    Raises:
        DamagedRun: If it fails its seal, or the run's row lists it but it is gone.
        NoRun: If there is no such run.
    """
    found = db.execute(
        "SELECT text, seal FROM texts WHERE key = ? AND name = ?", (key, name)
    ).fetchone()
    if found is None:
        if name in get(db, key).texts.split(","):
            raise DamagedRun(key, f"its {name}")
        return None
    if not matches_seal(found[1], key, name, found[0]):
        raise DamagedRun(key, f"its {name}")
    return json.loads(found[0])


def next_turn(db: sqlite3.Connection) -> int:
    """Return the next place in the order of shards; later ones are larger."""
    set_counter(db, "turn", get_counter(db, "turn") + 1)
    return get_counter(db, "turn")


def get_counter(db: sqlite3.Connection, name: str) -> int:
    """Return a number of the whole store; 0 if it was never set."""
    found = db.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
    return int(found[0]) if found else 0


def set_counter(db: sqlite3.Connection, name: str, value: int) -> None:
    """Set a number of the whole store; only a change is written."""
    if get_counter(db, name) != value:
        db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, value))


def check_key(key: str) -> str:
    """Return a run's key after a check of its form, as it also names a folder.

    Raises:
        NoRun: If it is not 64 lower-case hex digits.
    """
    if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        raise NoRun(key[:64])
    return key
