"""TPE against Optuna used plainly, and against itself rebuilt from its trials."""

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.samplers import TPESampler
from optuna.trial import create_trial

from engine.algorithms.search.optuna_tpe import OptunaTpe
from engine.learners.baseline.random_search import RandomSearch
from engine.learners.baseline.tpe import Tpe
from tests.learners.search_baselines.searched import followed, searches


def plainly(
    codes: np.ndarray, values: np.ndarray, seed: int, joint: bool
) -> np.ndarray:
    """Ask Optuna as its manual says, over trials that are added one by one."""
    space = {str(i): CategoricalDistribution((0, 1, 2, 3)) for i in range(3)}
    sampler = TPESampler(
        seed=seed,
        n_startup_trials=1,
        n_ei_candidates=24,
        multivariate=joint,
        constant_liar=False,
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for row, value in zip(codes, values, strict=True):
        params = {str(i): int(code) for i, code in enumerate(row)}
        condition = create_trial(params=params, distributions=space, value=float(value))
        study.add_trial(condition)
    asked = study.ask(space).params  # type: ignore[arg-type]
    return np.array([asked[str(i)] for i in range(3)])


@pytest.mark.parametrize("joint", [True, False])
def test_every_question_is_optunas_answer_to_the_trials_so_far(joint: bool) -> None:
    tasks = searches(2, horizon=25)
    found = followed(Tpe(startup=5, joint=joint), tasks)
    codes = tasks.space.codes(found["architecture"].astype(int))
    seeds = (tasks.uniform("tpe", 25) * 2**31).astype(int)
    for member in range(2):
        for step in range(5, 25):
            seen = codes[member, :step], found["signal"][member, :step]
            expected = plainly(*seen, int(seeds[member, step]), joint)
            np.testing.assert_array_equal(codes[member, step], expected)


def test_a_search_rebuilt_from_its_trials_continues_the_same() -> None:
    space = searches(1).space
    parzen = OptunaTpe(space, 24, True)
    whole, draw = parzen.start_search(), np.random.default_rng(3)
    for step in range(30):
        codes = parzen.ask(whole, step) if step > 4 else draw.integers(0, 4, 3)
        parzen.tell(whole, codes, float((codes == 2).sum()), live=True)
    again = parzen.start_search()
    for codes, value in zip(whole.codes, whole.values, strict=True):
        parzen.tell(again, codes, value, live=True)
    one, two = (parzen.ask(trials, 77) for trials in (whole, again))
    np.testing.assert_array_equal(one, two)
    others = {tuple(parzen.ask(again, seed)) for seed in range(20)}
    assert len(others) > 1, "the seed changes nothing"


def test_it_begins_as_random_search_and_then_does_better_than_it() -> None:
    tasks = searches(12, horizon=40, rugged=0, size=4)
    one, two = followed(Tpe(), tasks), followed(RandomSearch(), tasks)
    np.testing.assert_array_equal(
        one["architecture"][:, :10], two["architecture"][:, :10]
    )
    assert one["regret"][:, -1].mean() < two["regret"][:, -1].mean() / 2


def test_what_costs_too_much_ends_the_search_and_is_no_trial() -> None:
    parzen = OptunaTpe(searches(1).space, 24, True)
    trials = parzen.start_search()
    parzen.tell(trials, np.array([1, 2, 3]), 0.5, live=True)
    parzen.tell(trials, np.array([3, 2, 1]), -1.0, live=False)
    assert trials.values == [0.5]
    np.testing.assert_array_equal(parzen.ask(trials, 1), [3, 2, 1])
