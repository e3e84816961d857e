"""A run's stages: their share of the progress bar is what they take."""

import pytest

from engine.contract.events import Block
from engine.contract.run_spec import RunSpec
from engine.runner.context import RunContext
from engine.runner.stages import list_stages
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import events, learner_spec

COUNTS = {"task_evaluations": 40, "validate_every": 40, "validation_tasks": 1}
TESTS, TUNED, REPLICATES = 6, 5, 2


def spec_of(learner: dict[str, object]) -> RunSpec:
    """Return a tiny run of one learner, tested more than it is validated."""
    budget = COUNTS | {"test_tasks": TESTS, "tuning_tasks": TUNED}
    name = str(learner["name"])
    return learner_spec(name, "gaussian_classes", learners=[learner], budget=budget)


def works(spec: RunSpec) -> dict[str, float]:
    """Return how much each stage is said to take, by its first word."""
    stages = list_stages(RunContext(spec), InMemoryRunCache(), first=True)
    return {stage.name.split()[0]: stage.cost for stage in stages}


def spent(spec: RunSpec) -> dict[str, float]:
    """Return the gradients that the ledger counts, by phase, of one replicate."""
    return {
        event.phase: float(event.array.mean())
        for event in events(spec)
        if isinstance(event, Block) and event.metric == "gradient_evaluations"
    }


@pytest.mark.parametrize(
    "learner",
    [
        {"name": "maml", "knobs": {"inner_steps": 7}},
        {"name": "fine_tune", "knobs": {"steps": 20, "tuning": "given"}},
        {"name": "fine_tune", "knobs": {"steps": 20}},
    ],
    ids=["maml", "given", "tuned"],
)
def test_a_stage_takes_the_share_that_the_ledger_counts(
    learner: dict[str, object],
) -> None:
    spec = spec_of(learner)
    bar, ledger = works(spec), spent(spec)
    assert bar["train"] == pytest.approx(REPLICATES * ledger["train"], rel=0.6)
    assert bar["train"] >= REPLICATES * ledger["train"]
    if "tune" in ledger:
        assert bar["tune"] == pytest.approx(REPLICATES * ledger["tune"], rel=0.25)
    else:  # with an answer beside the inner steps
        assert bar["test"] == REPLICATES * (ledger["test"] + TESTS)


def test_a_learner_without_inner_steps_costs_one_forward_pass_per_task() -> None:
    bar = works(spec_of({"name": "protonet"}))
    assert bar["test"] == REPLICATES * TESTS
