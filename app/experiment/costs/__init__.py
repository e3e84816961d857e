"""The work of a run, computed from its spec; one file per kind of task."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.experiment.costs.knob_work import find_card
from engine.contract.kinds import ByKind
from engine.contract.replicate_batches import replicate_batches
from engine.contract.run_spec import LearnerChoice, RunSpec

TUNING_TRIALS = 18  # approximate number of rates that a two-stage tuning tries
# Its cost for an optimizer, whose coarse rates are tried on a quarter of the tasks.
TUNING_COST = 10


class StageWork(NamedTuple):
    """The work of one stage of a run; seconds are proportional to it.

    Args:
        sort: begin, train, tune, test or probe, of a learner; film, together with the
            threshold; other, all that is not timed, such as drawing tasks.
        learner: Registered name of its learner; empty if there is none.
        work: In steps; one step of a full chunk of members counts as 2.
    """

    sort: str
    learner: str
    work: float


class CostModel(NamedTuple):
    """Cost functions of a kind of task.

    Args:
        estimate_cost: Approximate work over all replicates, in the kind's unit.
        stages: The stages of one batch of replicates, whose spec has no looks.
    """

    estimate_cost: Callable[[RunSpec], float]
    stages: Callable[[RunSpec], Iterator[StageWork]]


Prepare = Callable[[RunSpec], RunSpec]
# Stages of the first batch of replicates alone.
ONCE = frozenset({"film", "probe"})
COSTS: ByKind[CostModel] = ByKind("app.experiment.costs")


def stages(spec: RunSpec, kind: str, prepare: Prepare | None = None) -> list[StageWork]:
    """Return the stages of a run, over all its batches of replicates.

    Args:
        spec: A run of as many replicates as are to be computed.
        kind: Name of its kind of task.
        prepare: Changes the spec of a batch, such as by what is ready already.
    """
    sums: dict[tuple[str, str], float] = {}
    for i, batch in enumerate(replicate_batches(spec)):
        first = spec.first_replicate + batch.start
        changes = {"replicates": len(batch), "first_replicate": first, "looks": ()}
        part = spec.model_copy(update=changes)
        for sort, learner, work in COSTS[kind].stages(
            prepare(part) if prepare else part
        ):
            counted = work * (i == 0 or sort not in ONCE)
            sums[sort, learner] = sums.get((sort, learner), 0.0) + counted
    return [StageWork(*at, work) for at, work in sums.items()]


def with_replicates(spec: RunSpec, count: int) -> RunSpec:
    """Return a spec that ends after so many replicates, in the same batches."""
    looks = tuple(look for look in spec.looks if look <= count)
    return spec.model_copy(update={"replicates": count, "looks": looks})


def chunked_work(replicates: int, tasks: float, chunk: float, size: float) -> float:
    """Return the work of one step of all members, computed a chunk at a time.

    Each chunk takes a fixed time, and its members as long again if they fill it.

    Args:
        replicates: How many replicates there are.
        tasks: Tasks of each.
        chunk: Members of a full chunk, at the default size.
        size: Size of a member's step, relative to the defaults.

    >>> chunked_work(2, 32, 64, 1.0), chunked_work(1, 1, 64, 1.0)
    (2.0, 1.015625)
    """
    members = replicates * tasks
    # As the engine cuts them: whole replicates, or pieces of one.
    each = math.ceil(tasks / chunk) if tasks >= chunk else 1 / (chunk // max(1, tasks))
    return math.ceil(replicates * each) + members / chunk * size


def count_conditions(spec: RunSpec) -> int:
    """Return under how many conditions every learner is tested."""
    shifted = sum(len(shift.severities) for shift in spec.shifts)
    return 1 + len(spec.test_families) + shifted


def count_test_tasks(spec: RunSpec) -> int:
    """Return the test tasks of one learner and replicate, over all conditions."""
    return count_conditions(spec) * spec.budget.test_tasks


def is_trained(spec: RunSpec, learner: LearnerChoice) -> bool:
    """Return whether a learner is meta-trained in this run, as its card says."""
    card = find_card("learner", learner.name)
    trains = card is not None and bool(card.traits.get("trains"))
    return trains and learner.label not in spec.inputs


def is_tuned(spec: RunSpec, learner: LearnerChoice) -> bool:
    """Return whether a learner's rate is tuned in this run."""
    given = learner.knobs.get("tuning", "given") == "given"
    return not given and learner.label not in spec.inputs
