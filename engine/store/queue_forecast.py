"""When the runs in the queue will start, by the estimates of those before them."""

import heapq
import sqlite3
import time
from collections.abc import Sequence
from typing import NamedTuple

from engine.contract.jobs import JobState
from engine.store import fair_queue, run_rows
from engine.store.fair_queue import OPERATOR, Rules
from engine.store.run_rows import QUEUE_ORDER, SHARD

_MOST = 500  # runs that are looked at; those behind have only their place
_EARLY = 0.05  # share of a run below which its speed says nothing yet


class Turn(NamedTuple):
    """When a waiting run will start.

    Args:
        position: Its place in the queue, from 1.
        seconds: About how long it waits; None if that cannot be told.
    """

    position: int
    seconds: float | None = None


class _Waiting(NamedTuple):
    key: str
    workspace: str
    seconds: float | None


def turns(db: sqlite3.Connection) -> dict[str, Turn]:
    """Return when each waiting run will start, by key; shards come last."""
    served, waiting = fair_queue.rules(db), _list_waiting(db)
    if not served.running or len(waiting) > _MOST:
        return {each.key: Turn(n) for n, each in enumerate(waiting, start=1)}
    return predict_turns(waiting, _list_running(db), served)


def predict_turns(
    waiting: Sequence[_Waiting],
    running: Sequence[tuple[str, float | None]],
    served: Rules,
) -> dict[str, Turn]:
    """Play the queue to its end.

    Args:
        waiting: What waits, in the order of the queue.
        running: Workspace and seconds left of each run that is computed.
        served: How the queue is served.

    Returns:
        When each starts, by key. Behind a run of unknown length, no time is told.
    """
    left, found = list(waiting), dict[str, Turn]()
    busy = [(seconds or 0.0, workspace) for workspace, seconds in running]
    heapq.heapify(busy)
    is_known, now = all(seconds is not None for _, seconds in running), 0.0
    while left:
        held = [workspace for _, workspace in busy]
        able = (w for w in left if _may_start(w.workspace, held, served.running))
        each = next(able, None) if len(busy) < max(1, served.workers) else None
        if each is None and busy:
            now = max(now, heapq.heappop(busy)[0])
            continue
        each = each or left[0]
        left.remove(each)
        found[each.key] = Turn(len(found) + 1, now if is_known else None)
        is_known = is_known and each.seconds is not None
        heapq.heappush(busy, (now + (each.seconds or 0.0), each.workspace))
    return found


def _may_start(workspace: str, held: Sequence[str], most: int) -> bool:
    return workspace == OPERATOR or held.count(workspace) < most


def _list_waiting(db: sqlite3.Connection) -> list[_Waiting]:
    asked = (
        "SELECT runs.key, workspace, json_extract(texts.text, '$') FROM runs LEFT JOIN"
        " texts ON texts.key = runs.key AND texts.name = ? WHERE state = ?"
        f" ORDER BY {QUEUE_ORDER.replace('key', 'runs.key')}"
    )
    found = db.execute(asked, (fair_queue.COST, JobState.QUEUED)).fetchall()
    return [_Waiting(*each) for each in found]


def _list_running(db: sqlite3.Connection) -> list[tuple[str, float | None]]:
    asked = f"SELECT {run_rows.COLUMNS} FROM runs WHERE state = ? AND kind != ?"
    found = db.execute(asked, (JobState.RUNNING, SHARD)).fetchall()
    rows = [run_rows.parse_row(values) for values in found]
    return [(row.workspace, _seconds_left(db, row)) for row in rows]


def _seconds_left(db: sqlite3.Connection, row: run_rows.RunRow) -> float | None:
    taken = max(0.0, time.time() - (row.started or time.time()))
    if row.done > _EARLY and row.attempt == 1:
        return taken * (1 - row.done) / row.done
    cost = None if row.damaged else run_rows.get_text(db, row.key, fair_queue.COST)
    return None if cost is None else max(1.0, float(cost) - taken)
