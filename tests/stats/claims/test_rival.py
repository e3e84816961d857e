"""The main rival is named, or is the strongest tuned baseline before the test."""

import numpy as np

from engine.contract.events import Block
from engine.stats.block_table import BlockTable
from engine.stats.claims.rival import main_rival, score_before_test, strongest_baseline
from tests.stats.made_up import (
    ADAM,
    TUNED,
    along,
    baseline,
    chosen,
    falling,
    few,
    few_shot,
    few_spec,
    number,
    spec,
    trial,
    tuning_scores,
)
from tests.stats.made_up_searches import (
    COLD,
    RANDOM,
    found_at,
    search_spec,
    searches,
    times,
)
from tests.stats.made_up_trials import RANDOM as RANDOM_ACTIONS
from tests.stats.made_up_trials import RL2, agent, pulls, rl_spec, trials

GIVEN = baseline("sgd", tuning="given")


def made_up_tests(*labels: str) -> list[Block]:
    """Return tests in which each next learner is faster."""
    rates = enumerate(labels, 1)
    return [block for i, label in rates for block in trial(label, falling(0.1 * i))]


def test_the_better_tuning_score_decides_and_not_the_better_test() -> None:
    blocks = [
        *made_up_tests("sgd_tuned", "adam_tuned"),
        tuning_scores("sgd_tuned", 3.0, -1.0),
        tuning_scores("adam_tuned", -0.5, 2.0),
    ]
    run = spec(chosen(), TUNED, ADAM)
    assert strongest_baseline(BlockTable(blocks), run) == "sgd_tuned"


def test_each_replicate_is_scored_at_its_own_best_rate_and_the_first_batch_counts() -> (
    None
):
    scores = np.array([[[1.0, 1.0], [3.0, 3.0]], [[5.0, 5.0], [np.nan, np.nan]]])
    block = Block("sgd_tuned", "tune", "tuning", ("replicate", "rate", "task"), scores)
    table = BlockTable([block, *made_up_tests("sgd_tuned")])
    assert score_before_test(table, spec(), "sgd_tuned") == 3.0
    batched = spec(looks=(1, 2), replicates=2)
    assert score_before_test(table, batched, "sgd_tuned") == 1.0


def test_an_untuned_baseline_decides_only_if_there_is_no_other() -> None:
    blocks = [*made_up_tests("sgd", "adam_tuned"), tuning_scores("adam_tuned", 9.0)]
    run = spec(chosen(), GIVEN, ADAM)
    assert strongest_baseline(BlockTable(blocks), run) == "adam_tuned"
    assert strongest_baseline(BlockTable(blocks), spec(chosen(), GIVEN)) == "sgd"


def test_a_bound_that_nothing_can_beat_is_no_rival_while_there_is_another() -> None:
    bound = agent("bayes_optimum", "baseline")
    blocks = [
        *trials("rl2", pulls(0.6)),
        *trials("bayes_optimum", pulls(0.79)),
        *trials("random_actions", pulls(0.4)),
    ]
    table = BlockTable(blocks, "rl")
    run = rl_spec(RL2, bound, RANDOM_ACTIONS)
    assert strongest_baseline(table, run) == "random_actions"
    assert strongest_baseline(table, rl_spec(RL2, bound)) == "bayes_optimum"


def test_a_trained_baseline_without_a_rate_counts_as_tuned() -> None:
    raw, net = few("raw_neighbor", "baseline"), few("nearest", "baseline")
    blocks = [
        *few_shot("raw_neighbor", np.full((2, 4), 0.1)),
        *few_shot("nearest", np.full((2, 4), 0.3)),
        number("nearest", "train", "gradient_evaluations", 9.0),
        along("nearest", "validate", "validation_error", np.full((2, 3), 0.3)),
    ]
    run = few_spec(few("maml"), raw, net)
    assert strongest_baseline(BlockTable(blocks), run) == "nearest"


def test_where_nothing_is_tuned_the_curves_on_validation_tasks_decide() -> None:
    regret = ("replicate", "step")
    blocks = [
        *searches("cold", found_at(times(20, 1))),
        *searches("random_search", found_at(times(20, 2))),
        Block("cold", "validate", "regret", regret, np.full((2, 3), 0.4)),
        Block("random_search", "validate", "regret", regret, np.full((2, 3), 0.3)),
    ]
    run = search_spec(COLD, RANDOM)
    assert strongest_baseline(BlockTable(blocks), run) == "random_search"


def test_a_named_rival_decides_about_the_first_chosen_learner() -> None:
    blocks = [
        *made_up_tests("sgd_tuned", "adam_tuned"),
        tuning_scores("sgd_tuned", -9.0),
    ]
    table, second = BlockTable(blocks), chosen("second")
    run = spec(chosen(), second, TUNED, ADAM, rival="adam_tuned")
    assert main_rival(table, run, chosen()) == "adam_tuned"
    assert main_rival(table, run, second) == "adam_tuned"
    duel = spec(chosen(), second, TUNED, ADAM, rival="second")
    assert main_rival(table, duel, chosen()) == "second"
    assert main_rival(table, duel, second) == "sgd_tuned"
