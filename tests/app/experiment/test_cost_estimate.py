"""What a run is said to take goes with its inner steps, and with runs like it."""

import pytest

from app.client import client
from app.client.catalogue import Catalogue
from app.experiment.cost_estimate import describe_cost, estimate_seconds
from app.experiment.costs import TUNING_TRIALS, rl
from app.experiment.costs.few_shot import count_episode_gradients
from engine.contract import kinds
from engine.contract.jobs import Job, JobState
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec

BUDGET = Budget(task_evaluations=100, test_tasks=10, horizon=3, tuning_tasks=4)


@pytest.mark.parametrize(
    ("knobs", "gradients"),
    [
        ({}, 2 * (100 + 10)),
        ({"inner_steps": 5, "test_steps": 0}, 2 * (100 * 6 + 10 * 6)),
        ({"inner_steps": 1, "test_steps": 0}, 2 * (100 * 2 + 10 * 4)),
        (
            {"steps": 50, "tuning": "tuned"},
            2 * (100 + 10 * 51 + TUNING_TRIALS * 4 * 51),
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
    assert count_episode_gradients(spec) == gradients


@pytest.mark.parametrize(
    ("knobs", "answers"),
    [({"presentations": 30}, 30), ({"online": True, "shots": 7}, 7), ({"shots": 7}, 1)],
)
def test_an_online_episode_is_answered_after_each_example(
    knobs: dict[str, object], answers: int
) -> None:
    one = LearnerChoice(name="x", label="x")
    family = Choice(name="y", knobs=knobs)
    spec = RunSpec(family=family, learners=(one,), budget=BUDGET, replicates=2)
    assert count_episode_gradients(spec) == 2 * (100 + 10 * answers)


def test_agents_that_do_not_train_are_only_tested_and_time_goes_with_steps(
    monkeypatch: pytest.MonkeyPatch, known: Catalogue
) -> None:
    monkeypatch.setattr(client, "catalogue", lambda: known)
    names = ("rl2", "thompson")
    learners = tuple(LearnerChoice(name=name, label=name) for name in names)
    spec = RunSpec(family=Choice(name="y"), learners=learners, budget=BUDGET)
    spec = spec.model_copy(update={"replicates": 2})
    assert rl.count_trials(spec) == 2 * (100 + 10 + 10)
    pulls = 2 * (rl.LEARNING * 100 + 10 + 10) * BUDGET.horizon
    assert rl.count_steps(spec) == pulls
    walks = spec.model_copy(update={"family": Choice(name="y", knobs={"steps": 7})})
    assert rl.count_steps(walks) == 7 * pulls


def test_searches_of_another_family_say_nothing_about_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A table answers at once; nets that are trained do not."""
    one = LearnerChoice(name="x", label="x")
    specs = {
        name: RunSpec(family=Choice(name=name), learners=(one,), budget=BUDGET)
        for name in ("table", "trained")
    }
    done = [Job("table", JobState.DONE, "", 0.0, started=0.0, finished=2.0)]
    monkeypatch.setattr(client, "kind_of_spec", lambda spec: kinds.SEARCH)
    monkeypatch.setattr(client, "jobs", lambda *_: (done, 1))
    monkeypatch.setattr(client, "spec", specs.get)
    assert estimate_seconds(specs["table"]) == pytest.approx([2.0])
    assert estimate_seconds(specs["trained"]) is None


def test_a_run_until_decided_costs_so_much_a_batch_and_at_most_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A past run that was decided early is timed by what it computed."""
    one = LearnerChoice(name="x", label="x")
    spec = RunSpec(
        family=Choice(name="table"),
        learners=(one,),
        budget=BUDGET,
        replicates=12,
        looks=(3, 6, 9, 12),
    )
    done = [Job("decided", JobState.DONE, "", 0.0, started=0.0, finished=4.0)]
    monkeypatch.setattr(client, "kind_of_spec", lambda spec: kinds.SEARCH)
    monkeypatch.setattr(client, "jobs", lambda *_: (done, 1))
    monkeypatch.setattr(client, "spec", lambda key: spec)
    monkeypatch.setattr(client, "summary", lambda key: {"replicates": 6})
    assert estimate_seconds(spec) == pytest.approx([2.0, 8.0])
    work = [3 * (10 + 100) * 3, 12 * (10 + 100) * 3]
    assert describe_cost(spec, kinds.SEARCH) == (
        f"About {work[0]:,} architectures per batch, at most {work[1]:,}."
    )
