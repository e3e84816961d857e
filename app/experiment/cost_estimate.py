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
    """Describe the work of a run."""
    return f"About {COSTS[kind.name].estimate_cost(spec):,.0f} {kind.words.work}."


def estimate_seconds(spec: RunSpec) -> float | None:
    """Return the estimated duration, seconds; None without a similar past run."""
    kind = client.kind_of_spec(spec)
    done, _ = client.jobs([JobState.DONE], "", (LOOKED, 0))
    speeds = list(_past_speeds(done, spec, kind))[:RECENT]
    if not speeds:
        return None
    return COSTS[kind.name].estimate_time_units(spec) / statistics.median(speeds)


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
            yield COSTS[kind.name].estimate_time_units(spec) / took


def _is_comparable(one: RunSpec, other: RunSpec, kind: Kind) -> bool:
    slots = kind.same_speed
    return all(getattr(one, at).name == getattr(other, at).name for at in slots)
