"""What a run will take: gradients counted from the spec, seconds from past runs."""

import statistics
from collections.abc import Iterable

from app import door
from engine.contract.jobs import Job, JobState
from engine.contract.runs import RunSpec

RATES = 18  # what a two-stage tuning tries, more or less
RECENT = 6


def gradients(spec: RunSpec) -> float:
    """Return about how many gradients a run takes, over all replicates.

    >>> from engine.contract.runs import Choice, LearnerChoice
    >>> mine = LearnerChoice(name="sgd", label="sgd", role="baseline")
    >>> gradients(RunSpec(family=Choice(name="x"), learners=(mine,)))
    3200.0
    """
    budget = spec.budget
    conditions = 1 + len(spec.test_families)
    conditions += sum(len(shift.severities) for shift in spec.shifts)
    tests = conditions * len(spec.learners) * spec.replicates * budget.test_tasks
    tuned = sum(e.knobs.get("tuning", "given") != "given" for e in spec.learners)
    trained = sum(
        e.role == "chosen" and e.label not in spec.inputs for e in spec.learners
    )
    training = trained * budget.task_evaluations * spec.replicates
    return float(
        budget.horizon * (tests + tuned * RATES * budget.tuning_tasks + training)
    )


def seconds(spec: RunSpec) -> float | None:
    """Return about how long a run will take here; none before a first run."""
    done, _ = door.jobs([JobState.DONE], "", (RECENT, 0))
    speeds = list(_speeds(done))
    return gradients(spec) / statistics.median(speeds) if speeds else None


def _speeds(jobs: Iterable[Job]) -> Iterable[float]:
    """Yield gradients a second of runs that were computed here, in one go."""
    for job in jobs:
        if job.started is None or job.finished is None or job.attempt > 1:
            continue
        took = job.finished - job.started
        if took > 1.0:
            yield gradients(door.spec(job.key)) / took
