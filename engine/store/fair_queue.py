"""The order of the queue: fair to workspaces, by the compute that they ask for.

Each run gets a place when it is queued: where its workspace stands, or the queue's
clock if that is later, plus the run's cost. The lowest place is claimed first, and the
clock is the place claimed last. So a workspace that asks for much is served as often as
one that asks for little, by compute; nobody waits for ever, as the clock overtakes all
places; and the runs of a single workspace go in the order in which they were queued.

Source: Golestani (1994), A self-clocked fair queueing scheme for broadband
applications.
Differs: several workers serve the queue, and a cost is an estimate.
"""

import sqlite3
from typing import NamedTuple

from engine.contract.jobs import JobState
from engine.store import run_rows
from engine.store.errors import OverLimit, QueueFull, StoreFull
from engine.store.run_rows import QUEUE_ORDER, SHARD, RunRow

OPERATOR = "local"  # the workspace of whoever runs this lab, its only one by default
COST = "cost"  # the text with a run's estimated seconds on one core
OVER_LIMIT = "over-limit"  # the text of a run that reached a limit of its demo
CLOCK, WORKERS, RUNNING = "clock", "workers", "running"
REFUSED, FULL = "refused", "full"
_LARGEST = 2**40  # seconds; a cost beyond it must not overflow a column


class Rules(NamedTuple):
    """How the queue is served; its supervisor sets this.

    Args:
        workers: How many runs are computed at the same time; 0 if that is not known.
        running: How many of them may be one visitor's; 0 for no limit.
    """

    workers: int = 0
    running: int = 0


class Quota(NamedTuple):
    """How many runs one workspace may have in the queue.

    Args:
        running: Runs that are computed at the same time.
        queued: Further runs that wait.
    """

    running: int
    queued: int


def next_place(db: sqlite3.Connection, workspace: str, cost: float = 1.0) -> int:
    """Return the place of a run that is queued now.

    Args:
        db: An open write transaction.
        workspace: Whose run it is.
        cost: Its estimated seconds on one core; 1 where they are not known.
    """
    asked = "SELECT max(turn) FROM runs WHERE state = ? AND workspace = ? AND kind != ?"
    waiting = db.execute(asked, (JobState.QUEUED, workspace, SHARD)).fetchone()[0] or 0
    # No place that was claimed is later than the clock.
    return max(run_rows.get_counter(db, CLOCK), waiting) + max(
        1, round(min(cost, _LARGEST))
    )


def note_claim(db: sqlite3.Connection, row: RunRow) -> None:
    """Advance the clock to a claimed run; shards wait in an order of their own."""
    if row.kind != SHARD:
        clock = max(run_rows.get_counter(db, CLOCK), row.turn)
        run_rows.set_counter(db, CLOCK, clock)


def rules(db: sqlite3.Connection) -> Rules:
    """Return how the queue is served."""
    return Rules(*(run_rows.get_counter(db, name) for name in (WORKERS, RUNNING)))


def set_rules(db: sqlite3.Connection, served: Rules) -> None:
    """Set how the queue is served; refusals are counted from then on."""
    run_rows.set_counter(db, REFUSED, 0)
    run_rows.set_counter(db, WORKERS, served.workers)
    run_rows.set_counter(db, RUNNING, served.running)


def eligible_keys(db: sqlite3.Connection, most: int) -> list[str]:
    """Return the waiting runs that a worker may claim, the next one first.

    Args:
        db: An open transaction.
        most: At most this many.
    """
    limit = rules(db).running
    held = (
        "SELECT count(*) FROM runs AS r WHERE r.state = ? AND r.kind != ?"
        " AND r.workspace = runs.workspace"
    )
    allowed = f"kind = ? OR workspace = ? OR ({held}) < ?"
    asked = (
        f"SELECT key FROM runs WHERE state = ? AND ({allowed if limit else 1})"
        f" ORDER BY {QUEUE_ORDER} LIMIT ?"
    )
    values = (SHARD, OPERATOR, JobState.RUNNING, SHARD, limit) if limit else ()
    found = db.execute(asked, (JobState.QUEUED, *values, most)).fetchall()
    return [key for (key,) in found]


def count_eligible(db: sqlite3.Connection) -> int:
    """Count the runs, not shards, that wait for nothing but a worker."""
    waiting = eligible_keys(db, -1)
    shards = "SELECT count(*) FROM runs WHERE state = ? AND kind = ?"
    (count,) = db.execute(shards, (JobState.QUEUED, SHARD)).fetchone()
    return len(waiting) - int(count)


def check_quota(
    db: sqlite3.Connection, row: RunRow | None, workspace: str, quota: Quota
) -> None:
    """Check that a workspace may queue one more run.

    Args:
        db: An open write transaction.
        row: The run as it is stored, if it is.
        workspace: Whose run it will be.
        quota: How many it may have.

    Raises:
        QueueFull: If it has as many as that in the queue.
        OverLimit: If the run has reached a limit before: it would again.
        StoreFull: If the store takes all the space that it may.
    """
    if run_rows.get_counter(db, FULL):
        raise StoreFull(
            "this demo has no space for new runs at the moment: try again later, or "
            "run this on your own computer, as Limits at the foot of the page says"
        )
    if row is not None and OVER_LIMIT in row.texts.split(","):
        raise OverLimit(row.error)
    counted = (
        "SELECT count(*) FROM runs WHERE state = ? AND workspace = ? AND kind != ?"
    )
    running, waiting = (
        int(db.execute(counted, (state, workspace, SHARD)).fetchone()[0])
        for state in (JobState.RUNNING, JobState.QUEUED)
    )
    if running + waiting >= quota.running + quota.queued:
        raise QueueFull(running, waiting, quota.running + quota.queued)


def count_refusal(db: sqlite3.Connection) -> None:
    """Count a submission that was refused, for the operator."""
    run_rows.set_counter(db, REFUSED, run_rows.get_counter(db, REFUSED) + 1)


def set_full(db: sqlite3.Connection, *, is_full: bool) -> None:
    """Close the queue for new runs of visitors, or open it again."""
    run_rows.set_counter(db, FULL, int(is_full))
