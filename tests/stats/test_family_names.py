"""Two families of one kind are told apart wherever a condition is named."""

import numpy as np
import pytest

from app.charts.claim_forests import _with_family_title
from app.charts.optimization import condition_title
from app.views.compare.numbers import task_name
from engine.contract.events import Condition
from engine.contract.run_spec import Choice
from engine.stats.block_table import BlockTable
from engine.stats.condition_words import describe_condition
from engine.stats.family_names import family_title
from engine.stats.learner_claims import make_claims
from engine.stats.run_summary import summarize
from engine.stats.shift_and_transfer import transfer_levels
from engine.stats.summaries.comparison_table import make_comparison
from tests.stats.made_up import few, few_shot, few_spec, spec, trial

RED, WHITE = (Choice(name="own_data", knobs={"digest": 64 * d}) for d in "ab")
TRAINED_ON_RED = spec(family=RED, test_families=(WHITE,))
ELSEWHERE = Condition(family="own_data")
TOLD = "own data bbbbbbbb"


def duel() -> list:
    loss = np.exp(-0.1 * np.arange(21.0)) * np.ones((4, 3, 1))
    noise = np.exp(0.1 * np.random.default_rng(0).standard_normal((4, 3, 1)))
    blocks = [*trial("lr_scale", loss), *trial("sgd_tuned", loss * noise)]
    return [
        *blocks,
        *trial("lr_scale", 4 * loss, ELSEWHERE),
        *trial("sgd_tuned", 2 * loss * noise, ELSEWHERE),
    ]


def test_a_family_is_named_by_its_file_where_only_that_differs() -> None:
    assert family_title(TRAINED_ON_RED, "own_data") == TOLD
    assert family_title(TRAINED_ON_RED, "") == "own data aaaaaaaa"
    assert describe_condition(ELSEWHERE, TRAINED_ON_RED) == TOLD
    titles = {"own_data": "Own data"}
    assert condition_title(ELSEWHERE, TRAINED_ON_RED, titles) == TOLD.capitalize()
    alone = spec(family=Choice(name="mixtures"), test_families=(WHITE,))
    assert condition_title(ELSEWHERE, alone, titles) == "Own data"


def test_sentences_and_diagnoses_name_the_other_file() -> None:
    blocks = duel()
    assert TOLD in str(summarize(blocks, TRAINED_ON_RED)["sentence"])
    lost = np.full((4, 3, 21), np.nan)
    lost[..., 0] = 1.0
    blocks = [*blocks, *trial("lr_scale", lost, ELSEWHERE)]
    told = summarize(blocks, TRAINED_ON_RED)["diagnosis"]
    assert any(f"Most diverged on {TOLD}: 12." in f["evidence"] for f in told)


def test_the_forest_and_the_table_name_the_other_file() -> None:
    claims = make_claims(BlockTable(duel(), "optimization"), TRAINED_ON_RED, None)
    named = {_with_family_title(c, TRAINED_ON_RED).condition.family for c in claims}
    assert named == {"", TOLD}
    blocks = few_shot("maml", np.eye(3)) + few_shot("maml", np.eye(3), ELSEWHERE)
    run = few_spec(few("maml"), family=RED, test_families=(WHITE,))
    comparison = make_comparison(BlockTable(blocks, "few_shot"), run)
    assert comparison.heads == ("in distribution", TOLD)


def test_the_matrix_has_a_column_for_each_file() -> None:
    held = [(TRAINED_ON_RED, summarize(duel(), TRAINED_ON_RED))]
    found = transfer_levels(held, "lr_scale", "area")
    assert found.train == ("own data aaaaaaaa",)
    assert found.test == ("own data aaaaaaaa", TOLD)
    assert found.mean[0, 1] - found.mean[0, 0] == pytest.approx(np.log(4))


def test_beside_other_families_knobs_say_whose_they_are() -> None:
    few_walls, many = (Choice(name="gridworld", knobs={"walls": n}) for n in (4, 8))
    runs = [
        spec(family=few_walls, test_families=(many,)),
        spec(family=Choice(name="key_door")),
    ]
    held = [(run, summarize(duel(), run)) for run in runs]
    found = transfer_levels(held, "lr_scale", "area")
    assert found.train == ("gridworld: walls 4", "key_door")
    assert "walls 4" in transfer_levels(held[:1], "lr_scale", "area").train


def test_runs_on_two_files_have_different_tasks() -> None:
    assert task_name(RED, [RED, WHITE]) == "own data aaaaaaaa"
    assert task_name(RED, [RED]) == "own data"
    shots = [Choice(name="glyphs", knobs={"shots": n}) for n in (1, 5)]
    assert task_name(shots[1], shots) == "glyphs, shots 5"
