"""What a few-shot run is said to take goes with its inner steps."""

import pytest

from app.cost import RATES, effort
from engine.contract.runs import Budget, Choice, LearnerChoice, RunSpec

BUDGET = Budget(task_evaluations=100, test_tasks=10, horizon=3, tuning_tasks=4)


@pytest.mark.parametrize(
    ("knobs", "gradients"),
    [
        ({}, 2 * (100 + 10)),
        ({"inner_steps": 5, "test_steps": 0}, 2 * (100 * 6 + 10 * 6)),
        ({"inner_steps": 1, "test_steps": 0}, 2 * (100 * 2 + 10 * 4)),
        (
            {"steps": 50, "tuning": "tuned"},
            2 * (100 + 10 * 51) + RATES * 4 * 51,
        ),
    ],
    ids=["metric", "steps", "shown", "tuned"],
)
def test_an_episode_takes_an_answer_and_its_inner_steps(
    knobs: dict[str, object], gradients: float
) -> None:
    one = LearnerChoice(name="x", label="x", knobs=knobs)
    spec = RunSpec(
        family=Choice(name="y"), learners=(one,), budget=BUDGET, replicates=2
    )
    assert effort(spec) == gradients
