"""Runs that ended, as timed stages: this machine's own, and shipped ones.

The shipped ones were measured once on another machine, by
`python -m tests.benchmarks.time_estimates --write`; they say how learners, families and
nets compare until this machine's own runs do.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path

from app.client import client, process_store
from app.client.shared_reads import SharedReads
from app.experiment.costs import (
    Prepare,
    StageWork,
    is_tuned,
    stages,
    with_replicates,
)
from app.experiment.speeds import SHORT, Speeds, TimedStage, Traits
from engine.contract.errors import Refused
from engine.contract.events import Timing
from engine.contract.jobs import Job, JobState
from engine.contract.kinds import Kind, kind_named
from engine.contract.run_spec import RunSpec, complete_spec
from engine.executors.demo import is_demo
from engine.store import Store

LOOKED = 30  # runs; older ones say little of today's speed
SHIPPED = Path(__file__).with_name("timed_runs.json")
SORTS = ("begin", "train", "tune", "test", "probe")
SHARED = 0.5  # seconds in which all who ask get the same answer
DEMO_SHARED = 600.0  # runs end there all the time, and each would renew all estimates
_latest = SharedReads[tuple[str, ...]](2)
TOGETHER = ("film", "film-shifted", "threshold")  # all of the sort `film`
REFERENCE = "reference"  # the machine of the shipped runs


def known_speeds() -> tuple[Speeds, int]:
    """Return the speeds so far, and how many runs of this machine they are from."""
    # In the demo, too, of all visitors: a speed tells nothing of whose run it was.
    held = process_store.shared_store()
    seconds = DEMO_SHARED if is_demo() else SHARED
    keys = _latest.get((held.home,), lambda _: _find_timed(held), seconds)
    return _speeds_of(held.home.as_posix(), keys), len(keys)


def _find_timed(held: Store) -> tuple[str, ...]:
    done = held.jobs([JobState.DONE], limit=LOOKED)
    return tuple(job.key for job in done if _is_timed(job))


def machine_of(spec: RunSpec) -> str:
    """Return the name of this machine, with what else makes all stages faster."""
    return f"here {spec.device}{' compiled' if spec.compile else ''}"


def _is_timed(job: Job) -> bool:
    """Whether a run was computed here without interruption."""
    return job.started is not None and job.finished is not None and job.attempt == 1


@functools.lru_cache(maxsize=8)
def _speeds_of(home: str, keys: tuple[str, ...]) -> Speeds:
    """Return the speeds from some runs of a store."""
    own = [stage for key in keys for stage in _own_run(home, key)]
    return Speeds([*shipped_runs(), *own])


@functools.lru_cache(maxsize=128)
def _own_run(home: str, key: str) -> tuple[TimedStage, ...]:
    held = process_store.shared_store()
    job, spec = held.job(key), held.spec(key)
    if job is None or job.started is None or job.finished is None:
        return ()
    computed = with_replicates(spec, _replicates_run(key, spec))
    took = job.finished - job.started
    timings = held.timings(key)
    return tuple(timed_stages(computed, timings, took, machine_of(spec), key))


def _replicates_run(key: str, spec: RunSpec) -> int:
    """Return how many replicates an ended run computed; it may have stopped early."""
    if len(spec.looks) < 2:
        return spec.replicates
    summary = process_store.shared_store().summary(key) or {}
    return int(str(summary.get("replicates") or spec.replicates))


@functools.cache
def shipped_runs() -> tuple[TimedStage, ...]:
    """Return the stages of the shipped runs."""
    found: list[TimedStage] = []
    for i, run in enumerate(json.loads(SHIPPED.read_text())):
        spec = _complete(RunSpec.model_validate(run["spec"]))
        timings = [Timing(*row) for row in run["timings"]]
        if spec is not None:
            found += timed_stages(spec, timings, run["seconds"], REFERENCE, str(i))
    return tuple(found)


def _complete(spec: RunSpec) -> RunSpec | None:
    """Return a completed spec; None if a part of it has changed since."""
    try:
        return complete_spec(spec, client.catalogue().card, "cpu")
    except Refused:
        return None


def timed_stages(
    spec: RunSpec, timings: Iterable[Timing], took: float, machine: str, run: str
) -> list[TimedStage]:
    """Return the stages of a run that ended.

    Args:
        spec: Completed; with the replicates that were computed.
        timings: Its timings, by label and stage.
        took: Seconds of the whole run; what no learner is timed by is the sort
            `other`.
        machine: Where it was computed.
        run: A name that no other run has.
    """
    kind = kind_named(spec.kind)
    seconds = _sum_seconds(spec, timings)
    rest = took - sum(seconds.values())
    if rest > 0:  # less where several workers computed its batches
        seconds["other", ""] = rest
    # A stage that took no time came from an earlier run, or is too short to tell.
    seconds = {at: took for at, took in seconds.items() if took > SHORT or not at[1]}
    return [
        TimedStage(
            traits._replace(run=run), seconds[stage.sort, stage.learner], stage.work
        )
        for stage, traits in with_traits(spec, kind, machine)
        if (stage.sort, stage.learner) in seconds and stage.work > 0
    ]


def with_traits(
    spec: RunSpec, kind: Kind, machine: str, prepare: Prepare | None = None
) -> list[tuple[StageWork, Traits]]:
    """Return the stages of a run, each with what its speed goes with.

    Args:
        spec: Completed; it goes on to its last replicate.
        kind: Its kind of task.
        machine: Where it is computed.
        prepare: As in `costs.stages`.
    """
    found = []
    for stage in stages(spec, kind.name, prepare):
        estimated = stage.sort == "train" and not kind.outer_alone
        estimator = spec.estimator.name if estimated else ""
        names = (stage.sort, stage.learner, spec.family.name, spec.net.name)
        found.append((stage, Traits(machine, kind.name, *names, estimator, run="")))
    return found


def _sum_seconds(
    spec: RunSpec, timings: Iterable[Timing]
) -> dict[tuple[str, str], float]:
    """Return the seconds of each sort of stage and learner, by registered name."""
    choices = {each.label: each for each in spec.learners}
    sums = {("film", ""): 0.0}  # some families cannot be filmed
    for timing in timings:
        sort, choice = timing.stage.split(" ")[0], choices.get(timing.learner)
        if sort in TOGETHER:
            sums["film", ""] += timing.seconds
        if choice is None or sort not in SORTS:
            continue
        if (
            sort == "begin"
            and is_tuned(spec, choice)
            and not kind_named(spec.kind).tuned_last
        ):
            sort = "tune"  # a rate that is tuned first is tuned in this stage
        at = (sort, choice.name)
        sums[at] = sums.get(at, 0.0) + timing.seconds
    return sums
