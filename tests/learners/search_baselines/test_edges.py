"""Every search without training where there is nearly nothing to search."""

from dataclasses import replace

import numpy as np
import pytest

from engine.learners.baseline.hyperband import Hyperband
from engine.learners.baseline.local_search import LocalSearch
from engine.learners.baseline.predictor_search import PredictorSearch
from engine.learners.baseline.random_search import RandomSearch
from engine.learners.baseline.regularized_evolution import RegularizedEvolution
from engine.learners.baseline.steady_evolution import SteadyEvolution
from engine.learners.baseline.successive_halving import SuccessiveHalving
from engine.learners.baseline.tpe import Tpe
from engine.protocol import Learner
from tests.learners.search_baselines.searched import followed, searches

ALL = (
    RandomSearch(),
    RegularizedEvolution(),
    SteadyEvolution(),
    LocalSearch(),
    SuccessiveHalving(begin=9),
    Hyperband(),
    Tpe(startup=5),
    PredictorSearch(startup=5, every=5),
)
each = pytest.mark.parametrize("learner", ALL, ids=lambda part: part.name)


@each
def test_one_architecture_is_found_at_once(learner: Learner) -> None:
    found = followed(learner, searches(2, horizon=12, options=1))
    assert (found["architecture"] == 0).all()
    np.testing.assert_allclose(found["regret"], 0.0, atol=1e-7)


@each
def test_a_search_of_failures_ends_with_nothing(learner: Learner) -> None:
    found = followed(learner, searches(2, horizon=20, failing=1.0))
    assert np.isnan(found["signal"]).all()
    assert np.isnan(found["score"]).all()


@each
def test_ties_are_no_reason_to_stop(learner: Learner) -> None:
    tasks = searches(2, horizon=20)
    table = tasks.evaluator.table  # type: ignore[attr-defined]
    flat = replace(table, signal=np.full_like(table.signal, 0.5))
    same = replace(tasks, evaluator=type(tasks.evaluator)(flat))  # type: ignore[call-arg]
    found = followed(learner, same)
    assert all(len(np.unique(row)) > 3 for row in found["architecture"])


@each
def test_a_spent_budget_leaves_gaps_and_the_answer(learner: Learner) -> None:
    tasks = replace(searches(3, horizon=40), budget=60.0)
    found = followed(learner, tasks)
    assert (found["spent"] <= 60.0).all()
    assert np.isnan(found["architecture"][:, -1]).all()
    np.testing.assert_array_equal(found["score"][:, -1], found["score"][:, -2])


@each
def test_members_alone_are_members_together_under_every_trouble(
    learner: Learner,
) -> None:
    knobs = {"failing": 0.3, "noise": 1.0, "cap": 0.5, "cap_since": 0.5}
    tasks = replace(searches(3, horizon=24, **knobs), budget=150.0)
    together = followed(learner, tasks)
    for member in range(3):
        alone = followed(learner, tasks.take([member]))
        for name, rows in alone.items():
            np.testing.assert_array_equal(rows[0], together[name][member], name)
