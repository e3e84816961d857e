"""What a run is estimated to need, to compare it with the limits of the demo."""

from app.client import client
from app.client.demo_checks import RunNeeds
from app.experiment.cost_estimate import (
    describe_range,
    expected_duration,
    this_machine,
)
from app.experiment.costs import COSTS, count_test_tasks
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec

# Bytes of a run that do not go with its size: films, meta-weights, statistics.
FIXED = 2e6
# Bytes of results of a learner on a test task, and for each of its steps: those of
# optimization, of which most is recorded.
TASK, STEP = 100.0, 28.0


def estimate_needs(spec: RunSpec) -> RunNeeds:
    """Return what a completed spec is estimated to need, to its last replicate."""
    kind = client.kind_of_spec(spec)
    # One core: others may wait for the rest, whatever is free at this moment.
    key = run_key(spec, client.catalogue().card)
    whole = expected_duration(spec, key, this_machine(workers=1)).whole
    return RunNeeds(
        seconds=whole.middle,
        duration=describe_range(whole),
        work=COSTS[kind.name].estimate_cost(spec),
        unit=kind.words.work,
        disk=_estimate_disk(spec),
    )


def _estimate_disk(spec: RunSpec) -> float:
    """Return the approximate bytes of a run's results."""
    tests = spec.replicates * count_test_tasks(spec) * len(spec.learners)
    return FIXED + tests * (TASK + STEP * (spec.budget.horizon + 1))
