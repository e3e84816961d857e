"""The sentence: every way that a comparison can end is said as readily."""

import json
import re
from typing import Any

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.stats.learner_claims import CANT_TELL
from engine.stats.run_summary import summarize
from tests.stats.made_up import (
    ADAM,
    HERE,
    TUNED,
    baseline,
    chosen,
    falling,
    number,
    scales,
    spec,
    threshold,
    trial,
)

TITLES = {
    "lr_scale": "LR scale",
    "sgd": "SGD",
    "adam": "Adam",
    "mixtures": "Gaussian mixtures",
}
MOONS = Condition(family="moons")


def stretch(severity: float) -> Condition:
    return Condition(shift="stretch", severity=severity)


def noisy(rate: float, seed: int, **sizes: int) -> np.ndarray:
    """Return falling losses whose tasks and replicates differ a little."""
    loss = falling(rate, **sizes)
    draw = np.random.default_rng(seed)
    return loss * np.exp(0.1 * draw.standard_normal(loss.shape))


def found(blocks: list[Block], run: object) -> dict[str, Any]:
    return summarize(blocks, run, titles=TITLES)  # type: ignore[arg-type]


def headline(blocks: list[Block], run: object) -> str:
    return str(found(blocks, run)["headline"])


def told(blocks: list[Block], run: object) -> str:
    return str(found(blocks, run)["sentence"])


def duel(mine: float, other: float) -> list[Block]:
    mine_blocks = trial("lr_scale", noisy(mine, 1))
    return [threshold(), *mine_blocks, *trial("sgd_tuned", noisy(other, 2))]


def test_a_faster_learner_is_better_and_the_verdict_has_its_numbers() -> None:
    assert headline(duel(0.2, 0.1), spec()) == (
        "LR scale is better than tuned SGD in training loss on unseen Gaussian "
        "mixtures."
    )
    sentence = told(duel(0.2, 0.1), spec())
    assert (
        "Training log loss: LR scale −4.96 [−5.20, −4.72] against −2.50 [" in sentence
    )
    assert "; difference −2.45" in sentence
    assert "ln (95 % interval, n = 8 replicates × 8 tasks)." in sentence
    assert re.search(r"Steps to the threshold: \d\.\d \[.+\] against 12 \[", sentence)


def test_the_verdict_says_that_a_slower_learner_is_worse() -> None:
    assert headline(duel(0.1, 0.2), spec()).startswith("LR scale is worse than tuned S")


def test_the_same_rows_are_equal_within_five_percent() -> None:
    loss = noisy(0.1, 1)
    blocks = [threshold(), *trial("lr_scale", loss), *trial("sgd_tuned", loss)]
    assert headline(blocks, spec()) == (
        "LR scale equals tuned SGD in training loss (±5 %) on unseen Gaussian mixtures."
    )


def uncertain(replicates: int = 8) -> list[Block]:
    """Return two learners that differ by chance, more than the margin."""
    draw = np.random.default_rng(4)
    loss = falling(0.1, replicates=replicates)
    both = [loss * np.exp(draw.standard_normal((replicates, 1, 1))) for _ in range(2)]
    return [*trial("lr_scale", both[0]), *trial("sgd_tuned", both[1])]


def test_an_open_question_says_what_it_would_take() -> None:
    result = found(uncertain(), spec())
    (claim,) = (c for c in result["claims"] if c["primary"])
    assert (claim["call"], claim["more_replicates"] is None) == (CANT_TELL, False)
    count = f"{claim['more_replicates']} more replicates"
    assert result["headline"] == (
        f"Can't tell yet whether LR scale beats tuned SGD; needs about {count}."
    )


@pytest.mark.parametrize(
    ("looks", "note"),
    [
        ((4, 8), "Stopped at its ceiling of 8 replicates."),
        ((8, 16), "Open after 8 of at most 16 replicates."),
    ],
)
def test_an_open_run_says_whether_it_was_stopped_at_its_ceiling(
    looks: tuple[int, ...], note: str
) -> None:
    run = spec(looks=looks, replicates=looks[-1])
    assert f" {note}" in told(uncertain(), run)


def test_a_run_that_is_decided_early_says_after_how_many_replicates() -> None:
    run = spec(looks=(8, 16), replicates=16)
    assert " Decided after 8 of at most 16 replicates. " in told(duel(0.2, 0.1), run)


@pytest.mark.parametrize("rows", [uncertain(), duel(0.2, 0.1)])
def test_a_run_of_one_look_could_not_stop_elsewhere(rows: list) -> None:
    text = told(rows, spec(looks=(8,)))
    assert "at most 8" not in text and "ceiling" not in text


def test_one_replicate_gets_numbers_but_no_interval() -> None:
    blocks = [
        threshold(),
        *trial("lr_scale", noisy(0.2, 1, replicates=1)),
        *trial("sgd_tuned", noisy(0.1, 2, replicates=1)),
    ]
    sentence = told(blocks, spec(replicates=1))
    assert sentence.startswith(
        "Can't tell yet whether LR scale beats tuned SGD: one replicate has no "
        "interval. "
    )
    assert "[" not in sentence
    assert "better" not in sentence


def test_the_verdict_says_that_there_are_no_baselines() -> None:
    sentence = told([threshold(), *trial("lr_scale", noisy(0.1, 1))], spec(chosen()))
    assert sentence.startswith("No baseline was run, so there is no verdict. ")
    assert "on unseen Gaussian mixtures: LR scale −2.50 [" in sentence


def test_a_rival_that_was_not_tested_leaves_no_verdict() -> None:
    blocks = [threshold(), *trial("lr_scale", noisy(0.1, 1))]
    assert headline(blocks, spec()) == (
        "The learner and its rival share no test, so there is no verdict."
    )


def test_baselines_alone_are_described() -> None:
    blocks = [threshold(), *trial("sgd_tuned", noisy(0.1, 1))]
    sentence = told([*blocks, *trial("adam_tuned", noisy(0.2, 1))], spec(TUNED, ADAM))
    assert "tuned SGD −2.50 [" in sentence
    assert sentence.startswith("Only baselines were run, so there is no verdict. ")


def test_a_run_without_tests_has_no_verdict() -> None:
    assert told([threshold()], spec()) == "Nothing was tested, so there is no verdict."


def test_a_guessed_baseline_is_called_untuned() -> None:
    blocks = [threshold(), *trial("lr_scale", noisy(0.2, 1))]
    guessed = baseline("sgd", tuning="given")
    assert "better than untuned SGD" in headline(
        [*blocks, *trial("sgd", noisy(0.1, 2))], spec(chosen(), guessed)
    )


def test_diverged_tasks_decide_and_are_counted() -> None:
    loss = noisy(0.1, 1)
    loss[:, 0, 5:] = np.nan
    blocks = [threshold(), *trial("lr_scale", loss), *trial("sgd_tuned", noisy(0.1, 2))]
    assert headline(blocks, spec()) == (
        "LR scale is worse than tuned SGD: 8 of 64 tasks diverged, against none."
    )
    sentence = told(blocks, spec())
    assert "LR scale at least −1.7 against" in sentence
    assert "Diverged: 8 of 64 tasks of LR scale, none of tuned SGD;" in sentence


def test_a_learner_that_lost_many_tasks_is_worse_by_them_even_with_two_replicates() -> (
    None
):
    """Two replicates can not show that it loses more, but the interval can."""
    lost = noisy(0.1, 1, replicates=2)
    lost[:, :2] = np.nan
    other = noisy(0.1, 2, replicates=2)
    blocks = [*trial("lr_scale", lost), *trial("sgd_tuned", other)]
    assert headline(blocks, spec(replicates=2)) == (
        "LR scale is worse than tuned SGD: 4 of 16 tasks diverged, against none."
    )


def test_no_cap_is_shown_as_a_measurement() -> None:
    lost = np.full((8, 8, 51), np.nan)
    blocks = [threshold(), *trial("lr_scale", lost), *trial("sgd_tuned", noisy(0.1, 2))]
    sentence = told(blocks, spec())
    assert "LR scale blew up against −2.50 [" in sentence
    assert "difference beyond measure (n = 8 replicates × 8 tasks)" in sentence
    assert "4.6" not in sentence  # ln 100, the cap


def test_a_threshold_that_no_run_reaches_is_no_mean_of_horizons() -> None:
    blocks = [
        threshold(1e-9),
        *trial("lr_scale", noisy(0.1, 1), threshold=1e-9),
        *trial("sgd_tuned", noisy(0.1, 2), threshold=1e-9),
    ]
    sentence = told(blocks, spec())
    assert "Neither reached the threshold in 50 steps." in sentence
    assert "In steps to threshold" not in sentence


def test_without_a_threshold_there_are_no_steps() -> None:
    assert "steps" not in told(duel(0.2, 0.1)[1:], spec())


def test_a_metric_that_contradicts_the_headline_is_named() -> None:
    steps = np.arange(51)
    late = np.where(steps < 20, 1.0, 1e-4) * np.ones((8, 8, 51))
    soon = np.where(steps < 5, 1.0, 0.29) * np.ones((8, 8, 51))
    jitter = np.exp(0.01 * np.random.default_rng(0).standard_normal((8, 8, 51)))
    blocks = [threshold(), *trial("lr_scale", late * jitter), *trial("sgd_tuned", soon)]
    assert "better than tuned SGD" in headline(blocks, spec())
    assert re.search(
        r"In steps to threshold: worse \(.+\): the two metrics disagree\.",
        told(blocks, spec()),
    )


def held(label: str, mean: float, seed: int) -> Block:
    """Return the log losses on held-out rows at the end, around a mean."""
    rows = mean + 0.05 * np.random.default_rng(seed).standard_normal((8, 8))
    return Block(label, "test", "held_log_loss", ("replicate", "task"), rows)


def test_data_is_judged_on_held_out_loss_and_a_better_training_loss_is_told() -> None:
    blocks = [*duel(0.2, 0.1), held("lr_scale", 1.0, 1), held("sgd_tuned", 0.5, 2)]
    assert headline(blocks, spec()) == (
        "LR scale is worse than tuned SGD in held-out loss on unseen Gaussian mixtures."
    )
    sentence = told(blocks, spec())
    assert "Held-out log loss: LR scale 0.99" in sentence
    assert re.search(
        r"In training loss: better \(.+ ln\): the two metrics disagree\.", sentence
    )


def shifted(*severities: tuple[float, float]) -> list[Block]:
    """Return a duel with these severities of stretch and rates of the learner."""
    blocks = duel(0.1, 0.1)
    for severity, mine in severities:
        blocks += trial("lr_scale", noisy(mine, 3), stretch(severity))
        blocks += trial("sgd_tuned", noisy(0.1, 4), stretch(severity))
    return blocks


def test_severities_are_grouped_by_what_they_say() -> None:
    sentence = told(shifted((1.5, 0.1), (2.0, 0.2), (4.0, 0.2)), spec())
    assert (
        " LR scale against tuned SGD: under stretch: better at 2 and 4, equal at 1.5."
    ) in sentence


def test_a_shift_is_about_the_main_rival_and_counts_what_diverged() -> None:
    lost = noisy(0.1, 5)
    lost[:, :2, 5:] = np.nan
    blocks = shifted((1.5, 0.2))
    blocks += trial("lr_scale", lost, stretch(4.0))
    blocks += trial("sgd_tuned", noisy(0.1, 4), stretch(4.0))
    for at, seed in ((HERE, 6), (stretch(1.5), 7), (stretch(4.0), 8)):
        blocks += trial("adam_tuned", noisy(0.1, seed), at)
    rival = spec(chosen(), ADAM, TUNED, rival="sgd_tuned")
    assert (
        "LR scale against tuned SGD: under stretch: better at 1.5, worse at 4 "
        "(16 against 0 of 64 tasks diverged at 4)." in told(blocks, rival)
    )
    other = told(blocks, spec(chosen(), ADAM, TUNED, rival="adam_tuned"))
    assert "LR scale against tuned Adam: under stretch:" in other
    assert "LR scale against tuned SGD: under" not in other


def test_the_rival_is_the_best_of_what_every_replicate_tuned_itself() -> None:
    scores = {"sgd_tuned": [0.4, np.nan, 0.6], "adam_tuned": [0.5, 0.3, np.nan]}
    blocks = [*duel(0.1, 0.1), *trial("adam_tuned", noisy(0.1, 3))]
    for label, means in scores.items():
        each = np.tile(np.array(means), (8, 1))
        rates = {"rate": (0.1, 1.0, 10.0)}
        axes = ("replicate", "rate")
        blocks.append(Block(label, "tune", "tuning", axes, each, coords=rates))
    assert "tuned Adam" in headline(blocks, spec(chosen(), TUNED, ADAM))


def test_severity_zero_is_no_second_chance() -> None:
    claims = found(shifted((0.0, 0.1)), spec())["claims"]
    assert len(claims) == 2  # area and steps, in distribution


def test_another_family_and_many_places_stay_short() -> None:
    few = duel(0.1, 0.1)
    for place in (MOONS, Condition(shift="a", severity=1.0)):
        few += trial("lr_scale", noisy(0.3, 3), place)
        few += trial("sgd_tuned", noisy(0.1, 4), place)
    many = [*few]
    for place in (Condition(shift=s, severity=1.0) for s in ("b", "c")):
        many += trial("lr_scale", noisy(0.3, 3), place)
        many += trial("sgd_tuned", noisy(0.1, 4), place)
    pair = "LR scale against tuned SGD"
    assert f"{pair}: on moons: better; under a 1: better." in told(few, spec())
    assert f"{pair} in 4 other conditions: better in 4." in told(many, spec())


def test_chosen_learners_are_compared_with_each_other() -> None:
    blocks = [*duel(0.2, 0.1), *trial("second", noisy(0.05, 3))]
    run = spec(chosen(), chosen("second"), TUNED)
    assert headline(blocks, run).startswith("LR scale is better than tuned SGD in ")
    sentence = told(blocks, run)
    assert " LR scale is better than second. Second is worse than tuned SGD." in (
        sentence
    )


def test_rates_that_were_tuned_are_told_with_their_spread() -> None:
    rates = Block(
        "sgd_tuned", "tune", "tuned_lr", ("replicate",), np.linspace(0.24, 0.56, 8)
    )
    blocks = [*duel(0.2, 0.1), rates]
    assert "Tuned rates over replicates: SGD 0.24 to 0.56." in told(blocks, spec())


def test_titles_from_outside_replace_spelled_names() -> None:
    run = summarize(duel(0.2, 0.1), spec(), titles={"sgd": "gradient descent"})
    assert "better than tuned gradient descent" in str(run["headline"])


def test_a_summary_is_json_of_finite_numbers_in_its_documented_form() -> None:
    loss = noisy(0.1, 1)
    loss[0, :, 3:] = np.nan
    blocks = [
        threshold(),
        *trial("lr_scale", loss),
        *trial("sgd_tuned", noisy(0.1, 2)),
        scales("lr_scale", np.ones(50)),
        number("sgd_tuned", "tune", "tuned_lr", 0.4),
        number("sgd_tuned", "tune", "gradient_evaluations", 4800.0),
    ]
    found = summarize(blocks, spec())
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found) == [
        "format",
        "replicates",
        "threshold",
        "headline",
        "notes",
        "sentence",
        "claims",
        "conditions",
        "ledger",
        "rates",
        "tuned_rates",
        "diagnosis",
    ]
    row = found["conditions"][0]["learners"]["lr_scale"]
    assert row["diverged"] == 8
    assert row["members"] == 64
    assert row["final_loss"]["n"] == 8  # diverged tasks count as the ceiling
    assert row["rmst"]["n"] == 8
    assert found["ledger"]["sgd_tuned"] == {"tune": 4800, "train": 0, "test": 0}
    assert found["rates"] == {"lr_scale": 0.3, "sgd_tuned": 0.4}


def test_a_moved_threshold_gives_what_a_run_with_it_would_have_given() -> None:
    moved = summarize(duel(0.2, 0.1), spec(), threshold=0.1)
    ran = [
        threshold(0.1),
        *trial("lr_scale", noisy(0.2, 1), threshold=0.1),
        *trial("sgd_tuned", noisy(0.1, 2), threshold=0.1),
    ]
    assert moved == summarize(ran, spec())
    assert moved != summarize(duel(0.2, 0.1), spec())


def test_a_threshold_cannot_be_moved_without_traces() -> None:
    rows = [block for block in duel(0.2, 0.1) if block.metric != "loss"]
    with pytest.raises(ValueError, match="loss traces"):
        summarize(rows, spec(), threshold=0.1)


def test_a_block_written_twice_counts_once_and_the_later_one() -> None:
    blocks = duel(0.2, 0.1)
    again = summarize(
        [*trial("lr_scale", noisy(0.01, 9), HERE), *blocks, *blocks], spec()
    )
    assert again == summarize(blocks, spec())


@pytest.mark.parametrize(("replicates", "warned"), [(16, True), (32, False)])
def test_few_replicates_warn_of_failures_that_they_may_not_have_seen(
    replicates: int, warned: bool
) -> None:
    blocks = [threshold()]
    for seed, (label, rate) in enumerate({"lr_scale": 0.2, "sgd_tuned": 0.1}.items()):
        blocks += trial(label, noisy(rate, seed, replicates=replicates))
    sentence = told(blocks, spec(replicates=replicates))
    note = "With 16 replicates, a failure in up to 17 % of trainings may be unseen."
    assert (note in sentence) == warned
    assert ("may be unseen" in sentence) == warned
