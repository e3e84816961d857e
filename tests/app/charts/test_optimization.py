"""What the axes measure."""

from dataclasses import replace

import pytest

from app.charts import optimization
from app.client import client
from engine.contract.events import Timing


@pytest.fixture
def run(home: object, key: str) -> client.Run:
    return client.run(key)


def timed(run: client.Run, *timings: Timing) -> client.Run:
    return replace(run, timings=timings)


def test_a_step_takes_what_its_own_learner_took(run: client.Run) -> None:
    run = timed(
        run,
        Timing("sgd", "test in place", 2.0, 100),
        Timing("sgd", "test stretch 2", 4.0, 200),
        Timing("lr_scale", "test in place", 30.0, 100),
        Timing("sgd", "begin sgd", 1000.0, 1),
        Timing("", "test in place", 1000.0, 1),
    )
    assert optimization.seconds_per_step(run, "sgd") == pytest.approx(0.02)
    assert optimization.seconds_per_step(run, "lr_scale") == pytest.approx(0.3)


def test_learners_share_the_time_where_none_was_timed_alone(run: client.Run) -> None:
    budget, spec = run.spec.budget, run.spec
    steps = spec.replicates * budget.test_tasks * budget.horizon
    count = steps * len(spec.learners) * len(optimization.run_conditions(run))
    run = timed(run, Timing("", "test in place", 3.0, 1))
    assert optimization.seconds_per_step(run, "sgd") == pytest.approx(3.0 / count)


def test_the_engine_times_every_learner_alone(run: client.Run) -> None:
    tests = [t for t in run.timings if t.stage.startswith("test ")]
    assert {t.learner for t in tests} >= set(run.roles)
