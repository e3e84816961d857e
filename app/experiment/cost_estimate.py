"""Estimated cost of a run: work from its spec, seconds from the speeds of past runs."""

import math
from typing import NamedTuple

import numpy as np

from app.charts.figure_cache import get_or_make
from app.client import client, process_store
from app.experiment.costs import COSTS, StageWork, with_replicates
from app.experiment.ready_baselines import mark_ready_baselines
from app.experiment.speeds import Speeds, Traits
from app.experiment.timed_runs import known_speeds, machine_of, with_traits
from engine.contract.kinds import Kind
from engine.contract.replicate_batches import replicate_batches
from engine.contract.run_spec import RunSpec

QUANTILE = 1.2816  # standard deviations: 80 % lie within
# Seconds that a range begins or ends at, so that it claims no more than it knows.
SECONDS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50)
MINUTES = (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50)
HOURS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100)
ROUND = (*SECONDS, *(60 * n for n in MINUTES), *(3600 * n for n in HOURS))


class Duration(NamedTuple):
    """A range of seconds that should hold four runs in five."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Return the geometric mean of both ends."""
        return math.sqrt(self.low * self.high)


class Estimate(NamedTuple):
    """The estimated duration of a run.

    Args:
        first: Until its first look, or its end if there is none before.
        whole: Of all replicates that it may compute.
        runs: How many runs of this machine it is learned from.
    """

    first: Duration
    whole: Duration
    runs: int


class Work(NamedTuple):
    """The work of a run.

    Args:
        stages: Its stages, with what their speeds go with.
        batches: Of its replicates.
    """

    stages: list[tuple[StageWork, Traits]]
    batches: int


def describe_estimate(estimate: Estimate) -> str:
    """Describe how long a run takes; of one until decided, at least and at most.

    >>> short, long = Duration(11, 19), Duration(80, 170)
    >>> describe_estimate(Estimate(short, short, 0))
    'About 10 to 20 s'
    >>> describe_estimate(Estimate(short, long, 0))
    'About 10 s to 3 min, until decided'
    """
    first, whole = estimate.first, estimate.whole
    text = f"About {describe_range(Duration(first.low, whole.high))}"
    return text + ", until decided" * (first != whole)


def explain_estimate(estimate: Estimate, work: str) -> str:
    """Explain an estimate: what it is of, and what it is learned from.

    Args:
        estimate: The estimate.
        work: The run's work, as `describe_cost` puts it.
    """
    parts = [work, "Four runs in five should take a time in this range."]
    if estimate.first != estimate.whole:
        first, whole = map(describe_range, (estimate.first, estimate.whole))
        parts.append(f"The first batch takes {first}, all batches take {whole}.")
    if estimate.runs:
        some = "run" if estimate.runs == 1 else "runs"
        parts.append(f"Learned from {estimate.runs} {some} on this machine.")
    else:
        parts.append(
            "It is wide because no run has ended on this machine yet; the speeds are "
            "those of another one."
        )
    return " ".join(parts)


def describe_range(duration: Duration) -> str:
    """Describe a range in round numbers.

    >>> describe_range(Duration(18, 42)), describe_range(Duration(46, 130))
    ('20 to 40 s', '50 s to 2 min')
    >>> describe_range(Duration(0.1, 0.9)), describe_range(Duration(5000, 7600))
    ('1 s', '1.5 to 2 h')
    """
    low, high = (
        min(ROUND, key=lambda at: abs(math.log(at / max(end, 1.0)))) for end in duration
    )
    (first, unit), (last, last_unit) = map(_in_unit, (low, high))
    if low == high:
        return f"{last:g} {last_unit}"
    return f"{first:g} {'' if unit == last_unit else f'{unit} '}to {last:g} {last_unit}"


def _in_unit(seconds: float) -> tuple[float, str]:
    """Return a round time in the largest unit that suits it."""
    if seconds < 60:
        return seconds, "s"
    return (seconds / 60, "min") if seconds < 3600 else (seconds / 3600, "h")


def describe_cost(spec: RunSpec, kind: Kind) -> str:
    """Describe the work of a run; of one until decided per batch, and at most."""
    costs = [f"{COSTS[kind.name].estimate_cost(part):,.0f}" for part in _bounds(spec)]
    first, *most = costs
    text = f"About {first} {kind.words.work}"
    return text + "".join(f" per batch, at most {each}" for each in most) + "."


def estimate_duration(spec: RunSpec, workers: int = 1) -> Estimate:
    """Return the estimated duration of a completed spec.

    Args:
        spec: The run.
        workers: Processes that compute batches of replicates at the same time.
    """
    return _estimate(_find_work(spec), workers)


def _estimate(found: list[Work], workers: int) -> Estimate:
    speeds, runs = known_speeds()
    bounds = [_predict(speeds, work, workers) for work in found]
    return Estimate(bounds[0], bounds[-1], runs)


def _find_work(spec: RunSpec) -> list[Work]:
    """Return the work up to the first look and, if more may follow, up to the last."""
    kind = client.kind_of_spec(spec)
    machine = machine_of(spec)
    return [
        Work(
            with_traits(part, kind, machine, mark_ready_baselines),
            len(replicate_batches(part)),
        )
        for part in _bounds(spec)
    ]


class Machine(NamedTuple):
    """What an estimate depends on besides the experiment.

    Args:
        home: The store whose runs tell the speeds.
        runs: How many of them have ended.
        workers: As in `estimate_duration`.
    """

    home: str
    runs: int
    workers: int


def this_machine(workers: int | None = None) -> Machine:
    """Return what the estimates of this moment depend on.

    Args:
        workers: As in `estimate_duration`; None for those that there are.
    """
    home = process_store.shared_store().home.as_posix()
    return Machine(home, known_speeds()[1], workers or client.worker_count())


def expected_duration(spec: RunSpec, key: str, machine: Machine) -> Estimate:
    """Return the estimate of an experiment; made once until a run ends here.

    A run that ends changes the speeds.

    Args:
        spec: Completed.
        key: Its run key.
        machine: From `this_machine`.
    """
    # Its work is most of the effort, and the same for any number of workers.
    of_work = ("work", key, machine.home, machine.runs)
    return get_or_make(
        ("estimate", key, machine),
        lambda: _estimate(
            get_or_make(of_work, lambda: _find_work(spec)), machine.workers
        ),
    )


def predict_duration(speeds: Speeds, spec: RunSpec, kind: Kind) -> Duration:
    """Return the range of a run on one worker; nothing of it is ready.

    Args:
        speeds: Seconds per unit of work.
        spec: Completed; it goes on to its last replicate.
        kind: Its kind of task.
    """
    stages = with_traits(spec, kind, machine_of(spec))
    return _predict(speeds, Work(stages, len(replicate_batches(spec))), 1)


def _predict(speeds: Speeds, work: Work, workers: int) -> Duration:
    """Return the range of the sum of all stages, log-normally distributed."""
    mean, covariance = speeds.predict([traits for _, traits in work.stages])
    seconds = np.exp(mean) * np.array([stage.work for stage, _ in work.stages])
    share = seconds / seconds.sum()
    spread = math.sqrt(share @ covariance @ share)
    # Whole batches go to a worker, so that the last round may be a partial one.
    rounds = math.ceil(work.batches / workers)
    middle = seconds.sum() * rounds / work.batches
    away = math.exp(QUANTILE * spread)
    return Duration(middle / away, middle * away)


def _bounds(spec: RunSpec) -> list[RunSpec]:
    """Return the spec up to the first look and, if more may follow, up to the last."""
    if len(spec.looks) < 2:
        return [spec]
    return [with_replicates(spec, spec.looks[0]), spec]
