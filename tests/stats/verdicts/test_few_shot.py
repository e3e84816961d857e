"""The sentence about few-shot learners: every way that a comparison can end."""

import json
import re

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.claims.rival import strongest_baseline
from engine.stats.learner_claims import make_claims
from engine.stats.run_summary import summarize
from tests.stats.made_up import (
    FINE_TUNED,
    HERE,
    PROTO,
    TITLES,
    Array,
    few,
    few_shot,
    few_spec,
    number,
    tuning_scores,
)

SCRATCH = few("from_scratch", "baseline", tuning="tuned")
MAML = few("maml")


def wrong(
    rate: float, seed: int, replicates: int = 5, episodes: int = 200, queries: int = 75
) -> Array:
    """Return shares of wrong answers, trainings differing by half a point."""
    draw = np.random.default_rng(seed)
    rates = np.clip(rate + 0.005 * draw.standard_normal((replicates, 1)), 0, 1)
    return draw.binomial(queries, np.broadcast_to(rates, (replicates, episodes))) / 75


def told(blocks: list[Block], run: RunSpec | None = None) -> str:
    return str(summarize(blocks, run or few_spec(), titles=TITLES)["sentence"])


def duel(mine: float, other: float, **sizes: int) -> list[Block]:
    return [
        *few_shot("protonet", wrong(mine, 1, **sizes)),
        *few_shot("fine_tune", wrong(other, 2, **sizes)),
    ]


def test_the_verdict_on_a_better_learner_has_accuracies_and_their_difference() -> None:
    sentence = told(duel(0.04, 0.07))
    assert sentence.startswith(
        "On unseen glyphs (5-way 1-shot; n = 5 trainings × 200 episodes): "
        "prototypical networks are better than tuned pretrain + fine-tune (9"
    )
    found = re.search(
        r"\((9\d\.\d) % \[.+\] against (9\d\.\d) % \[.+\], (.+) p", sentence
    )
    assert found
    ahead, behind, apart = (float(number) for number in found.groups())
    assert ahead - behind == pytest.approx(apart, abs=0.11)


def test_the_verdict_says_that_a_baseline_is_better() -> None:
    sentence = told(duel(0.07, 0.04))
    assert "tuned pretrain + fine-tune is better than prototypical networks (9" in (
        sentence
    )
    assert "-" not in sentence.split("(9")[1]


def test_an_interval_that_contains_zero_does_not_tell_yet() -> None:
    assert "can't tell yet whether" in told(duel(0.3, 0.303, episodes=20))


def test_the_same_answers_are_the_same_to_within_a_point() -> None:
    rows = wrong(0.05, 1)
    blocks = [*few_shot("protonet", rows), *few_shot("fine_tune", rows)]
    assert re.search(r"are equal to within 1 point", told(blocks))


def test_one_training_is_judged_over_its_episodes_and_says_so() -> None:
    sentence = told(duel(0.04, 0.07, replicates=1))
    assert "n = 1 training × 200 episodes" in sentence
    assert "are better than" in sentence
    assert "±" in sentence
    assert "over its episodes only" in sentence


def test_a_claim_says_what_varied_freely() -> None:
    for replicates, over in ((1, "episodes"), (3, "replicates")):
        claims = summarize(duel(0.04, 0.07, replicates=replicates), few_spec())[
            "claims"
        ]
        assert [claim["over"] for claim in claims] == [over]


def test_one_episode_gets_numbers_and_no_verdict() -> None:
    sentence = told(duel(0.04, 0.07, replicates=1, episodes=1))
    assert sentence.endswith("One episode: no verdict.")
    assert "better" not in sentence


def test_the_verdict_names_squared_errors() -> None:
    run = few_spec(
        MAML, FINE_TUNED, family=Choice(name="sinusoids", knobs={"shots": 10})
    )
    draw = np.random.default_rng(0)
    blocks = [
        *few_shot("maml", 0.5 * draw.exponential(1, (5, 100)), classes=False),
        *few_shot("fine_tune", 3.0 * draw.exponential(1, (5, 100)), classes=False),
    ]
    sentence = told(blocks, run)
    assert "On unseen sinusoids (10-shot; n = 5 trainings × 100 episodes): MAML is" in (
        sentence
    )
    assert "(MSE 0." in sentence
    assert "points" not in sentence


def test_the_verdict_has_the_arithmetic_mean_of_squared_errors() -> None:
    rows = np.array([[0.0, 2.0, 4.0], [0.0, 2.0, 4.0]])
    blocks = few_shot("maml", rows, classes=False)
    assert "MAML MSE 2 [2, 2]" in told(blocks, few_spec(MAML))
    row = summarize(blocks, few_spec(MAML))["conditions"][0]["learners"]["maml"]
    assert row["final_mse"]["mean"] == pytest.approx(2.0)


def test_the_best_tuned_baseline_before_the_test_is_the_rival() -> None:
    guessed = few("joint", "baseline", tuning="given")
    probe = few("linear_probe", "baseline")
    run = few_spec(PROTO, SCRATCH, FINE_TUNED, guessed, probe)
    blocks = [*duel(0.04, 0.07), *few_shot("from_scratch", wrong(0.4, 3))]
    blocks += [
        *few_shot("joint", wrong(0.05, 4)),
        *few_shot("linear_probe", wrong(0.06, 5)),
    ]
    blocks += [
        tuning_scores("from_scratch", 0.5, 0.4, metric="tuning_error"),
        tuning_scores("fine_tune", 0.9, 0.1, metric="tuning_error"),
    ]
    assert strongest_baseline(BlockTable(blocks), run) == "fine_tune"


def test_others_follow_the_rival_and_a_guessed_one_is_called_untuned() -> None:
    guessed = few("joint", "baseline", tuning="given")
    blocks = [*duel(0.04, 0.07), *few_shot("from_scratch", wrong(0.4, 3))]
    blocks += few_shot("joint", wrong(0.4, 4))
    blocks.append(tuning_scores("fine_tune", 0.9, 0.1, metric="tuning_error"))
    sentence = told(blocks, few_spec(PROTO, SCRATCH, FINE_TUNED, guessed))
    assert "; better than tuned from scratch and untuned Joint." in sentence


def test_severities_and_what_a_learner_cannot_take_are_named() -> None:
    blocks = duel(0.04, 0.07)
    for severity, mine in ((15.0, 0.05), (60.0, 0.3)):
        at = Condition(shift="rotate", severity=severity)
        blocks += few_shot("protonet", wrong(mine, 3), at)
        blocks += few_shot("fine_tune", wrong(0.1, 4), at)
    ways = Condition(shift="ways", severity=10.0)
    blocks += few_shot("protonet", wrong(0.2, 5), ways)
    sentence = told(blocks)
    assert (
        "Under rotate: better than tuned pretrain + fine-tune at 15, tuned pretrain + "
        "fine-tune is better at 60." in sentence
    )
    assert sentence.endswith("Not applicable to tuned pretrain + fine-tune: 10-way.")


def test_other_shots_are_called_by_their_number() -> None:
    blocks = duel(0.04, 0.07)
    for shots in (5.0, 10.0):
        at = Condition(shift="shots", severity=shots)
        blocks += few_shot("protonet", wrong(0.01, 3), at)
        blocks += few_shot("fine_tune", wrong(0.08, 4), at)
        if shots == 5.0:
            one = told(blocks)
    assert "With 5 shots: better than tuned pretrain + fine-tune." in one
    assert "With other shots: better than tuned pretrain + fine-tune at 5 and 10." in (
        told(blocks)
    )


def test_the_shots_that_it_has_anyway_are_no_second_chance() -> None:
    blocks = duel(0.04, 0.07)
    for label, rate, seed in (("protonet", 0.04, 1), ("fine_tune", 0.07, 2)):
        at = Condition(shift="shots", severity=1.0)
        blocks += few_shot(label, wrong(rate, seed), at)
    assert len(summarize(blocks, few_spec())["claims"]) == 1


def test_several_learners_share_one_beginning() -> None:
    blocks = [*duel(0.04, 0.07), *few_shot("maml", wrong(0.2, 3))]
    sentence = told(blocks, few_spec(PROTO, MAML, FINE_TUNED))
    assert sentence.count("On unseen glyphs") == 1
    assert "Tuned pretrain + fine-tune is better than MAML (" in sentence


def test_diverged_episodes_are_wrong_and_counted() -> None:
    rows = wrong(0.04, 1)
    rows[:, :3] = np.nan
    blocks = [*few_shot("protonet", rows), *few_shot("fine_tune", wrong(0.07, 2))]
    assert "diverged 15 against 0 of 1,000" in told(blocks)
    (claim,) = make_claims(BlockTable(blocks), few_spec(), None)
    assert claim.difference == pytest.approx(
        np.nan_to_num(rows, nan=1.0).mean() - wrong(0.07, 2).mean()
    )


def test_without_baselines_or_only_with_them_there_is_no_verdict() -> None:
    rows = few_shot("protonet", wrong(0.04, 1))
    assert told(rows, few_spec(PROTO)).endswith(
        "Baselines were turned off: no verdict."
    )
    alone = told(few_shot("fine_tune", wrong(0.04, 1)), few_spec(FINE_TUNED))
    assert alone.endswith("Only baselines: no verdict.")


def test_a_summary_holds_both_spreads_by_name_and_what_was_spent() -> None:
    blocks = [
        *duel(0.04, 0.07),
        number("protonet", "train", "examples_seen", 240_000.0),
        number("protonet", "train", "gradient_evaluations", 3000.0),
    ]
    found = summarize(blocks, few_spec())
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    both = found["conditions"][0]["learners"]["protonet"]["spread"]
    assert both["trainings"] == 5
    assert both["episodes"] == 200
    assert both["half"] == pytest.approx(
        1.96 * both["sd_episodes"] / 200**0.5, rel=1e-3
    )
    assert both["sd_trainings"] < both["sd_episodes"]
    assert found["ledger"]["protonet"] == {
        **{"tune": 0, "train": 3000, "test": 0, "examples": 240_000}
    }
    assert found["conditions"][0]["condition"] == vars(HERE)
