"""What a run will take: work counted from the spec, seconds from past runs like it."""

import statistics
from collections.abc import Iterable

from app import kinds
from app.client import client
from engine.contract.jobs import Job, JobState
from engine.contract.runs import RunSpec

RATES = 18  # what a two-stage tuning tries, more or less
RECENT, LOOKED = 6, 40


def work(spec: RunSpec, kind: kinds.Kind) -> float:
    """Return about how much a run takes, in what its kind is paid in."""
    if kind is kinds.FEW_SHOT:
        return episodes(spec)
    return architectures(spec) if kind is kinds.SEARCH else gradients(spec)


def told(spec: RunSpec, kind: kinds.Kind) -> str:
    """Say how much a run takes."""
    return f"About {work(spec, kind):,.0f} {kind.work}."


def architectures(spec: RunSpec) -> float:
    """Return about how many architectures all learners train, over all replicates.

    A learner that is meta-trained searches its source tasks, too; which ones are is
    not known here, so every chosen one counts.
    """
    budget = spec.budget
    learned = sum(
        e.role == "chosen" and e.label not in spec.inputs for e in spec.learners
    )
    searches = len(spec.learners) * _tested(spec) + learned * budget.task_evaluations
    return float(spec.replicates * searches * budget.horizon)


def episodes(spec: RunSpec) -> float:
    """Return about how many episodes all learners meet, over all replicates."""
    budget = spec.budget
    each = spec.replicates * (budget.task_evaluations + _tested(spec))
    tuned = sum(e.knobs.get("tuning", "given") != "given" for e in spec.learners)
    return float(len(spec.learners) * each + tuned * RATES * budget.tuning_tasks)


def effort(spec: RunSpec) -> float:
    """Return about how many gradients a few-shot run takes, over all replicates.

    An episode takes an answer and the inner steps that a learner's knobs name.
    """
    budget = spec.budget
    total = 0.0
    for learner in spec.learners:
        knobs = learner.knobs
        inner = int(knobs.get("inner_steps", 0))
        steps = int(knobs.get("steps", 0) or knobs.get("test_steps", 0) or inner)
        answered = 1 + (max(steps, budget.horizon) if steps else 0)
        met = budget.task_evaluations * (1 + inner) + _tested(spec) * answered
        tuned = knobs.get("tuning", "given") != "given"
        total += spec.replicates * met + tuned * RATES * budget.tuning_tasks * answered
    return total


def _tested(spec: RunSpec) -> int:
    """Return the test tasks of one learner and replicate, over all conditions."""
    conditions = 1 + len(spec.test_families)
    conditions += sum(len(shift.severities) for shift in spec.shifts)
    return conditions * spec.budget.test_tasks


def gradients(spec: RunSpec) -> float:
    """Return about how many gradients a run takes, over all replicates.

    >>> from engine.contract.runs import Choice, LearnerChoice
    >>> mine = LearnerChoice(name="sgd", label="sgd", role="baseline")
    >>> gradients(RunSpec(family=Choice(name="x"), learners=(mine,)))
    3200.0
    """
    budget = spec.budget
    tests = _tested(spec) * len(spec.learners) * spec.replicates
    tuned = sum(e.knobs.get("tuning", "given") != "given" for e in spec.learners)
    trained = sum(
        e.role == "chosen" and e.label not in spec.inputs for e in spec.learners
    )
    training = trained * budget.task_evaluations * spec.replicates
    return float(
        budget.horizon * (tests + tuned * RATES * budget.tuning_tasks + training)
    )


def seconds(spec: RunSpec) -> float | None:
    """Return about how long a run will take here; none before one like it."""
    kind = client.kind(spec)
    done, _ = client.jobs([JobState.DONE], "", (LOOKED, 0))
    speeds = list(_speeds(done, spec, kind))[:RECENT]
    return _load(spec, kind) / statistics.median(speeds) if speeds else None


def _load(spec: RunSpec, kind: kinds.Kind) -> float:
    """Return what time goes with."""
    return effort(spec) if kind is kinds.FEW_SHOT else work(spec, kind)


def _speeds(jobs: Iterable[Job], like: RunSpec, kind: kinds.Kind) -> Iterable[float]:
    """Yield work a second of runs that were computed here, in one go.

    Runs are alike if they are of one kind and, for episodes, of one net; for
    searches of one family: some look accuracies up, others train nets.
    """
    for job in jobs:
        if job.started is None or job.finished is None or job.attempt > 1:
            continue
        took, spec = job.finished - job.started, client.spec(job.key)
        same = client.kind(spec) is kind
        if kind is kinds.FEW_SHOT:
            same = same and spec.net.name == like.net.name
        if kind is kinds.SEARCH:
            same = same and spec.family.name == like.family.name
        if took > 1.0 and same:
            yield _load(spec, kind) / took
