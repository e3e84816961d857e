"""Estimated cost of a run: work from its spec, seconds from similar past runs."""

import statistics
from collections.abc import Iterable

from app.client import client
from app.experiment.costs import COSTS
from engine.contract.jobs import Job, JobState
from engine.contract.kinds import Kind
from engine.contract.run_spec import RunSpec

RECENT, LOOKED = 6, 40


def describe_cost(spec: RunSpec, kind: Kind) -> str:
    """Describe the work of a run; of one until decided per batch, and at most."""
    costs = [f"{COSTS[kind.name].estimate_cost(part):,.0f}" for part in _bounds(spec)]
    costs[0] = f"{costs[0]} {kind.words.work}"
    return f"{join_bounds(costs)}."


def estimate_seconds(spec: RunSpec) -> list[float] | None:
    """Return the estimated duration, seconds; None without a similar past run.

    Returns:
        One number; of a run until decided those of its first batch and of all batches.
    """
    kind = client.kind_of_spec(spec)
    done, _ = client.jobs([JobState.DONE], "", (LOOKED, 0))
    speeds = list(_past_speeds(done, spec, kind))[:RECENT]
    if not speeds:
        return None
    speed = statistics.median(speeds)
    units = COSTS[kind.name].estimate_time_units
    return [units(part) / speed for part in _bounds(spec)]


def join_bounds(amounts: list[str]) -> str:
    """Return one amount, or those of a batch and of all batches, as text.

    >>> join_bounds(["20 s"]), join_bounds(["20 s", "3 min"])
    ('About 20 s', 'About 20 s per batch, at most 3 min')
    """
    first, *most = amounts
    return f"About {first}" + "".join(f" per batch, at most {each}" for each in most)


def _bounds(spec: RunSpec) -> list[RunSpec]:
    """Return the spec of the first batch and, if more may follow, of all of them."""
    counts = [*dict.fromkeys((*spec.looks[:1], spec.replicates))]
    return [with_replicates(spec, count) for count in counts]


def with_replicates(spec: RunSpec, count: int) -> RunSpec:
    """Return the spec of so many replicates, however many it may compute."""
    return spec.model_copy(update={"replicates": count, "looks": ()})


def _past_speeds(jobs: Iterable[Job], like: RunSpec, kind: Kind) -> Iterable[float]:
    """Yield the work per second of similar runs computed here without interruption.

    Runs are similar if they have the same kind and the choices that decide its speed:
    some searches look accuracies up, others train nets.
    """
    for job in jobs:
        if job.started is None or job.finished is None or job.attempt > 1:
            continue
        took, spec = job.finished - job.started, client.spec(job.key)
        if (
            took > 1.0
            and client.kind_of_spec(spec) is kind
            and _is_comparable(spec, like, kind)
        ):
            ran = with_replicates(spec, _replicates_run(job.key, spec))
            yield COSTS[kind.name].estimate_time_units(ran) / took


def _replicates_run(key: str, spec: RunSpec) -> int:
    """Return how many replicates an ended run computed; it may have stopped early."""
    if len(spec.looks) < 2:
        return spec.replicates
    return int((client.summary(key) or {}).get("replicates") or spec.replicates)


def _is_comparable(one: RunSpec, other: RunSpec, kind: Kind) -> bool:
    slots = kind.same_speed
    return all(getattr(one, at).name == getattr(other, at).name for at in slots)
