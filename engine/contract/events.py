"""Events of a run: blocks of numbers, artefacts, progress notes, timings, checkpoints.

A block is an array with named axes; the long form (one number a row) is a view
of it. The address says which numbers these are: a block written twice under
one address holds the same numbers, so writing is idempotent.
"""

from dataclasses import dataclass, field
from typing import Any

from engine.contract.metrics import metric

# The axes of maps that are drawn as pictures; a map is recorded, but not exported.
MAP_AXES = ("query", "example", "time", "slot")
AXES = (
    "replicate",
    "task",
    "step",
    "inner_step",
    "layer",
    "rate",
    "cell",
    "bin",
    "context",
    "presentation",
    *MAP_AXES,
)
PHASES = ("tune", "train", "validate", "test")
FILMS = ("film", "search", "trials")  # kinds of artefact that hold a film of a test
# Timings, remarks and checkpoints are stored under this title, so that it stays;
# every text for the user says "in distribution".
UNSHIFTED_TITLE = "in place"


@dataclass(frozen=True)
class Condition:
    """Where a test was taken: in distribution, on another family, or under a shift."""

    family: str = ""
    shift: str = ""
    severity: float = 0.0

    @property
    def title(self) -> str:
        """Return the stored title; two close conditions may have the same one."""
        if self.shift:
            return f"{self.shift} {self.severity:g}"
        return self.family or UNSHIFTED_TITLE


@dataclass(frozen=True)
class Block:
    """Numbers of one metric.

    Args:
        learner: Label of the learner in the spec; empty where none applies.
        phase: tune, train, validate or test.
        metric: A name of `metrics.METRICS`.
        axes: Names from `AXES`, one per dimension of the array.
        array: numpy array; shape follows the axes.
        condition: Where it was measured; in distribution by default.
        coords: Positions along an axis where they are not 0, 1, 2, …
    """

    learner: str
    phase: str
    metric: str
    axes: tuple[str, ...]
    array: Any
    condition: Condition = Condition()
    coords: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        metric(self.metric)
        if self.phase not in PHASES:
            raise ValueError(f"no phase is called {self.phase!r}")
        if len(self.axes) != self.array.ndim or not set(self.axes) <= set(AXES):
            raise ValueError(f"axes {self.axes} do not fit shape {self.array.shape}")

    def coordinates(self, axis: str) -> tuple[float, ...]:
        """Return the coordinates along one axis."""
        length = self.array.shape[self.axes.index(axis)]
        return self.coords.get(axis) or tuple(float(i) for i in range(length))

    def address(self) -> tuple[object, ...]:
        """Return what identifies these numbers within their run."""
        firsts = tuple((axis, at[0]) for axis, at in sorted(self.coords.items()))
        where = (self.condition.family, self.condition.shift, self.condition.severity)
        return (self.learner, self.phase, self.metric, *where, *firsts)


@dataclass(frozen=True)
class Artefact:
    """Arrays that outlive their run, such as a frozen meta-learner.

    `arrays` holds numpy arrays by name; `info` is JSON.
    """

    name: str
    kind: str
    arrays: dict[str, Any]
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """Progress of a run, for the user; never part of the results.

    `done` is the share of the whole run, 0 to 1; `stage` names the work.
    """

    stage: str
    done: float
    text: str = ""


_STAGE_WORDS = {
    f"test {UNSHIFTED_TITLE}": "test in distribution",
    "threshold": "fix the threshold",
    "film": "record animations",
    "film-shifted": "record animations under shift",
    "probe": "probe the tasks",
    "end": "compute the verdict",
}


def stage_in_words(stage: str) -> str:
    """Return a stage of a run as the user reads it.

    >>> stage_in_words("test in place"), stage_in_words("train maml")
    ('test in distribution', 'train maml')
    """
    return _STAGE_WORDS.get(stage, stage)


@dataclass(frozen=True)
class Timing:
    """Seconds of work; not reproducible, so they go to timings.csv.

    `count` is how many gradients of a base learner were computed in that time, where
    one learner was timed alone; `peak` the largest memory in bytes, 0 where it was not
    measured.
    """

    learner: str
    stage: str
    seconds: float
    count: int = 1
    peak: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """All that `loop.run` needs to continue from here; arrays and JSON only."""

    arrays: dict[str, Any]
    state: dict[str, Any]


Event = Block | Artefact | Note | Timing | Checkpoint
