"""How busy a store is: numbers for its operator, and nothing of any visitor."""

import sqlite3
import time
from typing import NamedTuple

from engine.contract.jobs import JobState
from engine.store import fair_queue, run_rows
from engine.store.index import Index
from engine.store.run_rows import SHARD


class Activity(NamedTuple):
    """What a store's queue does.

    Args:
        waiting: Runs in the queue.
        oldest: Seconds that the oldest of them has waited.
        running: Runs that are computed.
        shards: Batches of them that other workers compute.
        today: Runs by state that were queued in the last 24 hours.
        refused: Submissions refused since the supervisor started.
        is_full: Whether the store takes no new runs for lack of space.
    """

    waiting: int
    oldest: float
    running: int
    shards: int
    today: dict[str, int]
    refused: int
    is_full: bool


def activity(index: Index) -> Activity:
    """Return what a store's queue does."""
    return index.read(_ask)


def _ask(db: sqlite3.Connection) -> Activity:
    now = time.time()
    queued = "SELECT count(*), min(created) FROM runs WHERE state = ? AND kind != ?"
    waiting, since = db.execute(queued, (JobState.QUEUED, SHARD)).fetchone()
    running = "SELECT count(*), coalesce(sum(kind = ?), 0) FROM runs WHERE state = ?"
    busy, shards = db.execute(running, (SHARD, JobState.RUNNING)).fetchone()
    today = (
        "SELECT state, count(*) FROM runs WHERE kind = 'run' AND created > ?"
        " GROUP BY state ORDER BY state"
    )
    return Activity(
        waiting,
        max(0.0, now - since) if since else 0.0,
        busy - shards,
        shards,
        dict(db.execute(today, (now - 86_400,)).fetchall()),
        run_rows.get_counter(db, fair_queue.REFUSED),
        bool(run_rows.get_counter(db, fair_queue.FULL)),
    )
