"""What a job can be, and the only moves it can make."""

from dataclasses import dataclass
from enum import StrEnum


class JobState(StrEnum):
    """A closed set of states; the page shows the same words."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"
    PAUSED = "paused"
    STALLED = "stalled"
    LOST = "lost"
    INTERRUPTED = "interrupted"


_S = JobState
FINAL = frozenset({_S.DONE, _S.FAILED, _S.CANCELLED, _S.DIVERGED})
ALIVE = frozenset({_S.QUEUED, _S.RUNNING})
RESUMABLE = frozenset(
    {_S.FAILED, _S.CANCELLED, _S.PAUSED, _S.STALLED, _S.LOST, _S.INTERRUPTED}
)

MOVES: frozenset[tuple[JobState, JobState]] = frozenset(
    {(_S.QUEUED, _S.RUNNING), (_S.QUEUED, _S.CANCELLED), (_S.QUEUED, _S.FAILED)}
    | {
        (_S.RUNNING, after)
        for after in (
            _S.DONE,
            _S.FAILED,
            _S.CANCELLED,
            _S.DIVERGED,
            _S.PAUSED,
            _S.STALLED,
            _S.LOST,
            _S.QUEUED,
        )
    }
    | {(before, _S.QUEUED) for before in RESUMABLE}
    | {
        (before, _S.CANCELLED)
        for before in (_S.PAUSED, _S.STALLED, _S.LOST, _S.INTERRUPTED)
    }
    | {(_S.STALLED, _S.RUNNING), (_S.STALLED, _S.LOST)}
)


class IllegalTransition(ValueError):
    """A move that the table does not hold."""


def check_transition(before: JobState, after: JobState) -> None:
    """Raise unless the table holds the move.

    Raises:
        IllegalMove: If a job in state `before` cannot become `after`.
    """
    if (before, after) not in MOVES:
        raise IllegalTransition(f"a {before} job cannot become {after}")


@dataclass(frozen=True)
class Job:
    """One run's place in the queue; times are seconds since the epoch.

    `beat` is the age in seconds of the last sign of life, none when not running.
    `kind` is "run", or "tuning" for a baseline's sub-run; `about` names family,
    learners and shifts; `damaged` says why a run was set aside, empty if sound.
    """

    key: str
    state: JobState
    title: str
    created: float
    started: float | None = None
    finished: float | None = None
    attempt: int = 0
    worker: str = ""
    beat: float | None = None
    error: str = ""
    traceback: str = ""
    position: int | None = None
    kind: str = "run"
    about: str = ""
    stage: str = ""
    done: float = 0.0
    damaged: str = ""
    workspace: str = "local"
