"""The sentence about few-shot learners: every way that a comparison can end."""

import json
import re

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.claims.rival import strongest_baseline
from engine.stats.inference.looks import nominal_levels
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


def headline(blocks: list[Block], run: RunSpec | None = None) -> str:
    return str(summarize(blocks, run or few_spec(), titles=TITLES)["headline"])


def duel(mine: float, other: float, **sizes: int) -> list[Block]:
    return [
        *few_shot("protonet", wrong(mine, 1, **sizes)),
        *few_shot("fine_tune", wrong(other, 2, **sizes)),
    ]


def test_the_verdict_on_a_better_learner_has_accuracies_and_their_difference() -> None:
    assert headline(duel(0.04, 0.07)) == (
        "Prototypical networks are better than tuned pretrain + fine-tune in accuracy "
        "on unseen glyphs."
    )
    sentence = told(duel(0.04, 0.07))
    found = re.search(
        r"Accuracy \(%\): prototypical networks (9\d\.\d+) \[.+\] against "
        r"(9\d\.\d+) \[.+\] of tuned pretrain \+ fine-tune; difference \+(\d\.\d) "
        r"\[.+\] points \(95 % interval, n = 5 replicates × 200 episodes\)\.",
        sentence,
    )
    assert found
    ahead, behind, apart = (float(number) for number in found.groups())
    assert ahead - behind == pytest.approx(apart, abs=0.11)
    assert "Tasks are 5-way 1-shot." in sentence


def test_the_verdict_says_that_a_baseline_is_better() -> None:
    assert headline(duel(0.07, 0.04)).startswith("Prototypical networks are worse than")
    assert "; difference −" in told(duel(0.07, 0.04))


def test_an_interval_that_contains_zero_cannot_tell() -> None:
    assert headline(duel(0.3, 0.303, episodes=20)).startswith(
        "Can't tell yet whether prototypical networks beat tuned pretrain + fine-tune"
    )


def test_no_two_accuracies_differ_by_more_than_100_points() -> None:
    apart = np.array([[0.02], [0.5]])
    mine = np.clip(apart + wrong(0.0, 1)[:2] * 0.1, 0.0, 1.0)
    other = wrong(0.6, 2)[:2]
    sentence = told([*few_shot("protonet", mine), *few_shot("fine_tune", other)])
    assert re.search(
        r"difference \+\d+ \[−100, 100\] points \(cut off at ±100\)", sentence
    )
    assert "cut off" not in told(duel(0.04, 0.07))


def test_the_same_answers_are_equal_to_within_a_point() -> None:
    rows = wrong(0.05, 1)
    blocks = [*few_shot("protonet", rows), *few_shot("fine_tune", rows)]
    assert headline(blocks) == (
        "Prototypical networks equal tuned pretrain + fine-tune in accuracy (±1 point) "
        "on unseen glyphs."
    )


def test_one_training_is_judged_over_its_episodes_and_says_so() -> None:
    blocks = duel(0.04, 0.07, replicates=1)
    assert "are better than" in headline(blocks)
    sentence = told(blocks)
    assert "n = 200 episodes of one training" in sentence
    assert "±" in sentence
    assert "Compared over 200 episodes of one training; another training" in sentence


def test_repetitions_of_one_training_are_one_but_reach_the_ceiling() -> None:
    mine, other = (np.tile(wrong(0.05, seed)[:1], (4, 1)) for seed in (1, 2))
    blocks = [*few_shot("protonet", mine), *few_shot("fine_tune", other)]
    run = few_spec().model_copy(update={"looks": (2, 4), "replicates": 4})
    found = summarize(blocks, run)
    (claim,) = found["claims"]
    assert (claim["n_replicates"], claim["over"]) == (1, "episodes")
    assert 1 - claim["level"] == pytest.approx(nominal_levels((2, 4))[-1])
    assert "Decided after 4 of at most 4 replicates." in str(found["sentence"])


def test_a_claim_says_what_varied_freely() -> None:
    for replicates, over in ((1, "episodes"), (3, "replicates")):
        claims = summarize(duel(0.04, 0.07, replicates=replicates), few_spec())[
            "claims"
        ]
        assert [claim["over"] for claim in claims] == [over]


def test_one_episode_gets_numbers_and_no_interval() -> None:
    sentence = told(duel(0.04, 0.07, replicates=1, episodes=1))
    assert sentence.startswith("Can't tell yet whether prototypical networks beat ")
    assert "[" not in sentence


def test_the_verdict_names_squared_errors() -> None:
    run = few_spec(
        MAML, FINE_TUNED, family=Choice(name="sinusoids", knobs={"shots": 10})
    )
    draw = np.random.default_rng(0)
    blocks = [
        *few_shot("maml", 0.5 * draw.exponential(1, (5, 100)), classes=False),
        *few_shot("fine_tune", 3.0 * draw.exponential(1, (5, 100)), classes=False),
    ]
    assert headline(blocks, run) == (
        "MAML is better than tuned pretrain + fine-tune in squared error on unseen "
        "sinusoids."
    )
    sentence = told(blocks, run)
    assert "Mean squared error: MAML 0." in sentence
    assert "points" not in sentence
    assert "Tasks are 10-shot." in sentence


def test_no_cap_is_shown_as_a_measurement() -> None:
    run = few_spec(MAML, FINE_TUNED, family=Choice(name="sinusoids"))
    draw = np.random.default_rng(0)
    fine = few_shot("fine_tune", draw.exponential(3.0, (8, 100)), classes=False)
    lost = few_shot("maml", np.full((8, 100), np.nan), classes=False)
    assert headline([*lost, *fine], run) == (
        "MAML is worse than tuned pretrain + fine-tune: 800 of 800 episodes diverged, "
        "against none."
    )
    sentence = told([*lost, *fine], run)
    assert "MAML blew up against " in sentence
    assert "100" not in sentence.replace("100 episodes", "")
    some = draw.exponential(1.0, (8, 100))
    some[:, :3] = np.nan
    mine = few_shot("maml", some, classes=False)
    assert "MAML at least 4.0 against" in told([*mine, *fine], run)


def test_the_verdict_has_the_arithmetic_mean_of_squared_errors() -> None:
    rows = np.array([[0.0, 2.0, 4.0], [4.0, 2.0, 0.0]])
    blocks = few_shot("maml", rows, classes=False)
    assert "MAML 2.0 [2.0, 2.0]" in told(blocks, few_spec(MAML))
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
    run = few_spec(PROTO, SCRATCH, FINE_TUNED, guessed, rival="fine_tune")
    assert (
        " Prototypical networks are better than tuned from scratch and untuned joint "
        "training. " in told(blocks, run)
    )


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
        "Prototypical networks against tuned pretrain + fine-tune: under rotate: "
        "better at 15, worse at 60." in sentence
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
    assert ": with 5 shots: better." in one
    assert ": with other shots: better at 5 and 10." in told(blocks)


def test_the_shots_that_it_has_anyway_are_no_second_chance() -> None:
    blocks = duel(0.04, 0.07)
    for label, rate, seed in (("protonet", 0.04, 1), ("fine_tune", 0.07, 2)):
        at = Condition(shift="shots", severity=1.0)
        blocks += few_shot(label, wrong(rate, seed), at)
    assert len(summarize(blocks, few_spec())["claims"]) == 1


def test_chosen_learners_are_compared_with_each_other() -> None:
    blocks = [*duel(0.04, 0.07), *few_shot("maml", wrong(0.2, 3))]
    sentence = told(blocks, few_spec(PROTO, MAML, FINE_TUNED))
    assert (
        " Prototypical networks are better than MAML. MAML is worse than tuned "
        "pretrain + fine-tune. " in sentence
    )


def test_diverged_episodes_are_wrong_and_counted() -> None:
    rows = wrong(0.04, 1)
    rows[:, :3] = np.nan
    blocks = [*few_shot("protonet", rows), *few_shot("fine_tune", wrong(0.07, 2))]
    assert "Diverged: 15 of 1,000 episodes of prototypical networks, none of" in (
        told(blocks)
    )
    (claim,) = make_claims(BlockTable(blocks), few_spec(), None)
    assert claim.difference == pytest.approx(
        np.nan_to_num(rows, nan=1.0).mean() - wrong(0.07, 2).mean()
    )


def test_without_baselines_or_only_with_them_there_is_no_verdict() -> None:
    rows = few_shot("protonet", wrong(0.04, 1))
    assert headline(rows, few_spec(PROTO)).startswith("No baseline was run, so")
    alone = headline(few_shot("fine_tune", wrong(0.04, 1)), few_spec(FINE_TUNED))
    assert alone.startswith("Only baselines were run, so")


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


def believed(label: str, nll: Array) -> Block:
    return Block(label, "test", "nll", ("replicate", "task"), nll)


def opposed() -> list[Block]:
    """Return a learner that errs less, and is less likely to say so."""
    sure = 0.02 * np.random.default_rng(5).standard_normal((5, 200))
    likelihoods = [believed("protonet", 1.2 + sure), believed("fine_tune", 1.0 - sure)]
    return [*duel(0.04, 0.07), *likelihoods]


def test_the_log_likelihood_is_compared_beside_the_error_and_may_contradict_it() -> (
    None
):
    blocks, run = opposed(), few_spec()
    claims = make_claims(BlockTable(blocks, "few_shot"), run, None)
    error, nll = sorted(claims, key=lambda claim: claim.metric)
    assert (error.metric, error.call, error.primary) == ("error", "better", True)
    assert (nll.metric, nll.call, nll.primary) == ("nll", "worse", False)
    assert nll.margin == 0.05  # nats, whatever the level
    text = told(blocks)
    assert re.search(
        r"In negative log-likelihood: worse \(\+0\.2\d* \[.*\] nats\): the two metrics "
        r"disagree\.",
        text,
    ), text


def test_a_margin_of_log_likelihoods_is_not_a_share_of_their_level() -> None:
    values = few_spec(family=Choice(name="sinusoids", knobs={"shots": 10}))
    errors = np.random.default_rng(1).uniform(0.4, 0.6, (5, 20))
    blocks = [
        block
        for label in ("protonet", "fine_tune")
        for block in (
            *few_shot(label, errors, classes=False),
            believed(label, errors - 3.0),
        )
    ]
    claims = make_claims(BlockTable(blocks, "few_shot"), values, None)
    margins = {claim.metric: claim.margin for claim in claims}
    assert margins == {"error": pytest.approx(0.05 * errors.mean()), "nll": 0.05}


def test_a_constant_spread_is_named_where_likelihoods_are() -> None:
    spread = Block(
        "protonet", "validate", "residual_variance", ("replicate",), np.ones(5)
    )
    summary = summarize([*opposed(), spread], few_spec(), titles=TITLES)
    assert summary["constant_spread"] == ["protonet"]
    assert (
        "The log-likelihood of prototypical networks is that of a constant spread, "
        "from validation."
    ) in str(summary["sentence"])
    assert "constant_spread" not in summarize(opposed(), few_spec())


def test_likelihoods_that_only_later_batches_measured_are_not_compared() -> None:
    nll = np.ones((5, 200))
    nll[:2] = np.nan  # computed before likelihoods were
    blocks = [*duel(0.04, 0.07), believed("protonet", nll), believed("fine_tune", nll)]
    claims = make_claims(BlockTable(blocks, "few_shot"), few_spec(), None)
    assert [claim.metric for claim in claims] == ["error"]


def test_a_summary_holds_the_calibration_error_of_each_replicate_as_one_unit() -> None:
    axes = ("replicate", "bin")
    rows = {"confidence_share": 1.0, "bin_confidence": 0.9, "bin_accuracy": 0.6}
    blocks = [
        Block("protonet", "test", name, axes, np.full((5, 1), value))
        for name, value in rows.items()
    ]
    summary = json.loads(json.dumps(summarize([*opposed(), *blocks], few_spec())))
    found = summary["conditions"][0]["learners"]["protonet"]["calibration_error"]
    assert found["n"] == 5 and found["mean"] == pytest.approx(0.3)
