"""Evolution at settings where it is something simpler; random search counted."""

import numpy as np
import pytest
from scipy.stats import chisquare

from engine.learners.baseline.random_search import RandomSearch
from engine.learners.baseline.regularized_evolution import RegularizedEvolution
from engine.learners.baseline.steady_evolution import SteadyEvolution
from engine.protocol import SearchBatch
from tests.learners.search_baselines.searched import followed, searches


def tried(found: dict[str, np.ndarray], tasks: SearchBatch) -> np.ndarray:
    """Return the codes that were trained; (member, evaluation, position)."""
    return tasks.space.codes(found["architecture"].astype(int))


def apart(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return at how many decisions codes differ."""
    return (one != two).sum(-1)


def test_evolution_of_one_that_ages_is_a_random_walk() -> None:
    tasks = searches(200, horizon=6)
    codes = tried(followed(RegularizedEvolution(population=1, sample=1), tasks), tasks)
    assert (apart(codes[:, 1:], codes[:, :-1]) == 1).all()
    # Decisions and turns are as likely as each other, whatever was found.
    moved = (codes[:, 1:] != codes[:, :-1]).argmax(2).ravel()
    turn = (codes[:, 1:] - codes[:, :-1]).sum(2).ravel() % 4
    counts = np.bincount(moved * 3 + turn - 1, minlength=9)
    assert chisquare(counts).pvalue > 0.001


def test_evolution_of_one_that_does_not_age_climbs() -> None:
    tasks = searches(8)
    found = followed(SteadyEvolution(population=1, sample=1), tasks)
    codes, signal = tried(found, tasks), found["signal"]
    for step in range(1, tasks.horizon):
        best = signal[:, :step].argmax(1)
        parent = codes[np.arange(8), best]
        assert (apart(codes[:, step], parent) == 1).all(), step


@pytest.mark.parametrize("population", [3, 7])
def test_a_tournament_of_all_changes_the_best_of_the_youngest(population: int) -> None:
    tasks = searches(8)
    learner = RegularizedEvolution(population=population, sample=400)
    found = followed(learner, tasks)
    codes, signal = tried(found, tasks), found["signal"]
    for step in range(population, tasks.horizon):
        best = step - population + signal[:, step - population : step].argmax(1)
        parent = codes[np.arange(8), best]
        assert (apart(codes[:, step], parent) == 1).all(), step


def test_without_aging_the_best_of_all_live_for_ever() -> None:
    tasks = searches(8)
    found = followed(SteadyEvolution(population=5, sample=400), tasks)
    codes, signal = tried(found, tasks), found["signal"]
    for step in range(5, tasks.horizon):
        best = signal[:, :step].argmax(1)
        assert (apart(codes[:, step], codes[np.arange(8), best]) == 1).all(), step


def test_a_tournament_of_one_in_steady_evolution_asks_only_those_who_live() -> None:
    tasks = searches(8)
    found = followed(SteadyEvolution(population=4, sample=1), tasks)
    codes, signal = tried(found, tasks), found["signal"]
    chosen = np.zeros(4)
    for member in range(8):
        living = list(range(4))
        for step in range(4, tasks.horizon):
            near = apart(codes[member, living], codes[member, step]) == 1
            assert near.any()
            chosen[near.argmax()] += near.sum() == 1
            worst = min(living, key=lambda i: signal[member, i])
            if signal[member, step] >= signal[member, worst]:
                living[living.index(worst)] = step
    assert (chosen > 0).all()


@pytest.mark.parametrize("learner", [RegularizedEvolution(), SteadyEvolution()])
def test_the_first_architectures_are_random_searchs(
    learner: RegularizedEvolution | SteadyEvolution,
) -> None:
    tasks = searches()
    one, two = (
        followed(chosen, tasks)["architecture"] for chosen in (learner, RandomSearch())
    )
    np.testing.assert_array_equal(one[:, :10], two[:, :10])
    assert (one[:, 10:] != two[:, 10:]).any()


def test_random_search_without_repeats_sees_everything_once() -> None:
    found = followed(RandomSearch(), searches(horizon=64))["architecture"]
    assert (np.sort(found, 1) == np.arange(64)).all()


def test_random_search_with_repeats_repeats_as_often_as_chance_does() -> None:
    found = followed(RandomSearch(repeats=True), searches(200, horizon=50))
    counts = np.bincount(found["architecture"].astype(int).ravel(), minlength=64)
    assert chisquare(counts).pvalue > 0.001
    distinct = np.mean([len(np.unique(row)) for row in found["architecture"]])
    expected = 64 * (1 - (1 - 1 / 64) ** 50)
    assert distinct == pytest.approx(expected, abs=0.7)
