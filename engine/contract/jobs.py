"""Jobs, their states, and the allowed transitions between states."""

from dataclasses import dataclass
from enum import StrEnum


class JobState(StrEnum):
    """The state of a job; pages show the values as they are."""

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
COMPLETE = frozenset({_S.DONE, _S.DIVERGED})
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
    """A state transition that is not in `MOVES`."""


def check_transition(before: JobState, after: JobState) -> None:
    """Check a state transition against `MOVES`.

    Raises:
        IllegalTransition: If a job in state `before` cannot become `after`.
    """
    if (before, after) not in MOVES:
        raise IllegalTransition(f"a {before} job cannot become {after}")


@dataclass(frozen=True)
class Job:
    """The state of one run; times are seconds since the epoch.

    `beat` is the age of the last heartbeat in seconds, None if not running; `position`
    the place in the queue, from 1, None if not queued, and `wait` about how many
    seconds it still waits, None if that cannot be told. `kind` is "run", or "tuning"
    for a baseline's sub-run. `about` names family, learners and shifts. `damaged` says
    which file or row of a quarantined run is damaged; empty if none is.
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
    wait: float | None = None
    kind: str = "run"
    about: str = ""
    stage: str = ""
    done: float = 0.0
    damaged: str = ""
    workspace: str = "local"

    @property
    def is_resumable(self) -> bool:
        """Whether computing on may help; what refused its settings does so again."""
        # `error` is a refusal's message alone, with which its traceback ends.
        refused = bool(self.error) and f"Refused: {self.error}" in self.traceback
        return self.state in RESUMABLE and not refused
