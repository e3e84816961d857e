"""Halving's rounds and Hyperband's brackets against the published tables."""

import numpy as np
import pytest

from engine.algorithms.search.successive_halving import (
    brackets,
    fidelity_ladder,
    halving_schedule,
    rungs,
)
from engine.learners.baseline.hyperband import Hyperband
from engine.learners.baseline.successive_halving import SuccessiveHalving
from engine.protocol import Learner
from tests.learners.search_baselines.searched import NOTHING, followed, searches

# Li et al. (2018), table 1, R = 81 and η = 3: (architectures, epochs) by bracket.
TABLE = (
    ((81, 1), (27, 3), (9, 9), (3, 27), (1, 81)),
    ((34, 3), (11, 9), (3, 27), (1, 81)),
    ((15, 9), (5, 27), (1, 81)),
    ((8, 27), (2, 81)),
    ((5, 81),),
)
EPOCHS = (1, 3, 9, 27, 81)


def told(halving: tuple, epochs: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((rung.size, epochs[rung.fidelity]) for rung in halving)


def test_hyperbands_brackets_are_those_of_the_published_table() -> None:
    assert tuple(told(b, EPOCHS) for b in brackets(range(5), 3)) == TABLE


def test_they_are_the_same_where_every_epoch_was_measured() -> None:
    epochs = tuple(range(1, 82))
    steps = fidelity_ladder(epochs, 3)
    assert tuple(told(b, epochs) for b in brackets(steps, 3)) == TABLE


@pytest.mark.parametrize(
    ("count", "eta", "sizes"),
    [
        (81, 3, [81, 27, 9, 3, 1]),
        (64, 2, [64, 32, 16, 8, 4]),
        (16, 4, [16, 4, 1, 1, 1]),
    ],
)
def test_each_round_keeps_one_in_eta(count: int, eta: int, sizes: list[int]) -> None:
    assert [rung.size for rung in rungs(count, range(5), eta)] == sizes


@pytest.mark.parametrize("eta", [2.0, 3.0, 4.0])
def test_rounds_are_at_least_eta_times_as_long(eta: float) -> None:
    epochs = (1.0, 2.0, 5.0, 12.0, 13.0, 50.0, 200.0)
    lengths = np.array([epochs[i] for i in fidelity_ladder(epochs, eta)])
    assert lengths[-1] == 200.0
    assert (lengths[1:] / lengths[:-1] >= eta).all()


def test_no_new_architecture_is_skipped_or_used_twice() -> None:
    turns = halving_schedule(brackets(range(3), 3), 200)
    new = [turn.new_index for turn in turns if turn.previous_rung is None]
    assert new == list(range(len(new)))


def lengths(learner: Learner, horizon: int) -> np.ndarray:
    """Return how long each training of a search was, by its price."""
    spent = followed(learner, searches(4, horizon))["spent"]
    each = np.diff(spent, axis=1, prepend=0.0)
    assert (each == each[:1]).all()
    return each[0]


def test_a_halving_trains_as_planned_and_begins_again() -> None:
    one = [1.0] * 9 + [3.0] * 3 + [9.0]
    found = lengths(SuccessiveHalving(begin=9), 39)
    np.testing.assert_allclose(found, one * 3)


def test_hyperband_trains_all_its_brackets() -> None:
    first = [1.0] * 9 + [3.0] * 3 + [9.0]
    second = [3.0] * 5 + [9.0]
    third = [9.0] * 3
    found = lengths(Hyperband(), 25)
    np.testing.assert_allclose(found, [*first, *second, *third, 1.0, 1.0, 1.0])


@pytest.mark.parametrize("blur", [0.0, 3.0])
def test_those_go_on_that_looked_best_when_trained_briefly(blur: float) -> None:
    tasks = searches(20, 13, blur=blur)
    found = followed(SuccessiveHalving(begin=9), tasks)
    for tried, seen in zip(found["architecture"], found["signal"], strict=True):
        best = tried[:9][np.argsort(-seen[:9], kind="stable")]
        np.testing.assert_array_equal(tried[9:12], best[:3])
        assert tried[12] == tried[9:12][seen[9:12].argmax()]


def test_the_answer_is_of_those_trained_longest() -> None:
    tasks = searches(20, 13, blur=3.0)
    found = followed(SuccessiveHalving(begin=9), tasks)
    for member in range(20):
        table = tasks.evaluator.scores(int(tasks.task_index[member]))
        assert table is not None
        last = int(found["architecture"][member, 12])
        assert found["score"][member, 12] == pytest.approx(table[last])


@pytest.mark.parametrize("learner", [SuccessiveHalving(), Hyperband()])
def test_trainings_of_one_length_are_refused_in_a_sentence(learner: Learner) -> None:
    from dataclasses import replace

    tasks = searches()
    assert learner.why_not(NOTHING, tasks) is None
    reason = learner.why_not(NOTHING, replace(tasks, full_fidelity=0))
    assert "two training lengths" in reason and "1 passes" in reason
    assert "10 times" in type(learner)(eta=10.0).why_not(NOTHING, tasks)
