"""The sentence: every way that a comparison can end is said as readily."""

import json
import re

import numpy as np
import pytest

from engine.contract.events import Block, Condition
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

MOONS = Condition(family="moons")


def stretch(severity: float) -> Condition:
    return Condition(shift="stretch", severity=severity)


def noisy(rate: float, seed: int, **sizes: int) -> np.ndarray:
    """Return falling losses whose tasks and replicates differ a little."""
    loss = falling(rate, **sizes)
    draw = np.random.default_rng(seed)
    return loss * np.exp(0.1 * draw.standard_normal(loss.shape))


def told(blocks: list[Block], run: object) -> str:
    return str(summarize(blocks, run)["sentence"])


def duel(mine: float, other: float) -> list[Block]:
    mine_blocks = trial("lr_scale", noisy(mine, 1))
    return [threshold(), *mine_blocks, *trial("sgd_tuned", noisy(other, 2))]


def test_a_faster_learner_is_better_and_the_verdict_has_its_steps() -> None:
    sentence = told(duel(0.2, 0.1), spec())
    assert sentence.startswith("On unseen mixtures: better than tuned SGD (")
    assert re.search(r"\(\d\.\d steps \[.+\] against 12 \[.+\], n = 8 repl", sentence)
    assert sentence.endswith("n = 8 replicates × 8 tasks).")


def test_the_verdict_says_that_a_slower_learner_is_worse() -> None:
    assert "On unseen mixtures: tuned SGD is better (" in told(duel(0.1, 0.2), spec())


def test_redrawn_noise_can_not_be_told_apart() -> None:
    spread = np.exp(np.random.default_rng(3).standard_normal((8, 1, 1)))
    blocks = [threshold(), *trial("lr_scale", spread * noisy(0.1, 1))]
    sentence = told([*blocks, *trial("sgd_tuned", noisy(0.1, 2))], spec())
    assert "can't tell yet against tuned SGD" in sentence


def test_the_same_rows_are_the_same_to_within_five_percent() -> None:
    loss = noisy(0.1, 1)
    blocks = [threshold(), *trial("lr_scale", loss), *trial("sgd_tuned", loss)]
    assert "equal to tuned SGD to within 5 %" in told(blocks, spec())


def test_one_replicate_gets_numbers_but_no_interval_and_no_verdict() -> None:
    blocks = [
        threshold(),
        *trial("lr_scale", noisy(0.2, 1, replicates=1)),
        *trial("sgd_tuned", noisy(0.1, 2, replicates=1)),
    ]
    sentence = told(blocks, spec(replicates=1))
    assert sentence.endswith("One replicate: no verdict.")
    assert "[" not in sentence
    assert "better" not in sentence


def test_the_verdict_says_that_there_are_no_baselines() -> None:
    sentence = told([threshold(), *trial("lr_scale", noisy(0.1, 1))], spec(chosen()))
    assert sentence.endswith("Baselines were turned off: no verdict.")
    assert "lr scale 12 steps [" in sentence


def test_baselines_alone_are_described() -> None:
    blocks = [threshold(), *trial("sgd_tuned", noisy(0.1, 1))]
    sentence = told([*blocks, *trial("adam_tuned", noisy(0.2, 1))], spec(TUNED, ADAM))
    assert "tuned SGD 12 steps [" in sentence
    assert sentence.endswith("Only baselines: no verdict.")


def test_a_run_without_tests_has_no_verdict() -> None:
    assert told([threshold()], spec()) == "Nothing was tested, so there is no verdict."


def test_a_guessed_baseline_is_called_untuned() -> None:
    blocks = [threshold(), *trial("lr_scale", noisy(0.2, 1))]
    sentence = told(
        [*blocks, *trial("sgd", noisy(0.1, 2))], spec(chosen(), baseline("sgd"))
    )
    assert "better than untuned SGD" in sentence


def test_diverged_tasks_are_counted_in_the_sentence() -> None:
    loss = noisy(0.1, 1)
    loss[:, 0, 5:] = np.nan
    blocks = [threshold(), *trial("lr_scale", loss), *trial("sgd_tuned", noisy(0.1, 2))]
    assert "diverged 8 against 0 of 64" in told(blocks, spec())


def test_a_threshold_that_no_run_reaches_is_no_mean_of_horizons() -> None:
    blocks = [
        threshold(1e-9),
        *trial("lr_scale", noisy(0.1, 1), threshold=1e-9),
        *trial("sgd_tuned", noisy(0.1, 2), threshold=1e-9),
    ]
    assert "threshold not reached in 50 steps against threshold not reached" in told(
        blocks, spec()
    )


def test_without_a_threshold_the_verdict_uses_the_mean_log_loss() -> None:
    sentence = told(duel(0.2, 0.1)[1:], spec())
    assert "mean log loss [" in sentence
    assert "steps" not in sentence


def test_a_learner_that_ends_lower_but_arrives_later_gets_both_findings() -> None:
    steps = np.arange(51)
    late = np.where(steps < 20, 1.0, 1e-4) * np.ones((8, 8, 51))
    soon = np.where(steps < 5, 1.0, 0.29) * np.ones((8, 8, 51))
    jitter = np.exp(0.01 * np.random.default_rng(0).standard_normal((8, 8, 51)))
    blocks = [threshold(), *trial("lr_scale", late * jitter), *trial("sgd_tuned", soon)]
    sentence = told(blocks, spec())
    assert "better than tuned SGD" in sentence
    assert "; it reaches the threshold later." in sentence


def test_severities_are_grouped_by_what_they_say() -> None:
    blocks = duel(0.1, 0.1)
    for severity, mine in ((1.5, 0.1), (2.0, 0.2), (4.0, 0.2)):
        blocks += trial("lr_scale", noisy(mine, 3), stretch(severity))
        blocks += trial("sgd_tuned", noisy(0.1, 4), stretch(severity))
    sentence = told(blocks, spec())
    assert sentence.endswith(
        "Under stretch: better than tuned SGD at 2 and 4, equal to tuned SGD at 1.5."
    )


def test_severity_zero_is_no_second_chance() -> None:
    blocks = duel(0.1, 0.1)
    for label, seed in (("lr_scale", 1), ("sgd_tuned", 2)):
        blocks += trial(label, noisy(0.1, seed), stretch(0.0))
    claims = summarize(blocks, spec())["claims"]
    assert len(claims) == 2  # area and steps, in distribution


def test_another_family_and_many_places_stay_short() -> None:
    blocks = duel(0.1, 0.1)
    places = [MOONS, *(Condition(shift=s, severity=1.0) for s in ("a", "b", "c"))]
    for place in places:
        blocks += trial("lr_scale", noisy(0.3, 3), place)
        blocks += trial("sgd_tuned", noisy(0.1, 4), place)
    assert told(blocks[:-6], spec()).count("On moons: better than tuned SGD.") == 1
    sentence = told(blocks, spec())
    assert sentence.endswith("Of 4 other conditions: better than tuned SGD in 4.")


def test_two_chosen_learners_get_verdicts_of_their_own() -> None:
    blocks = [*duel(0.2, 0.1), *trial("second", noisy(0.05, 3))]
    sentence = told(blocks, spec(chosen(), chosen("second"), TUNED))
    assert "lr scale: On unseen mixtures: better than tuned SGD" in sentence
    assert "second: On unseen mixtures: tuned SGD is better" in sentence


def test_titles_from_outside_replace_spelled_names() -> None:
    run = summarize(duel(0.2, 0.1), spec(), titles={"sgd": "gradient descent"})
    assert "better than tuned gradient descent" in str(run["sentence"])


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
        "sentence",
        "claims",
        "conditions",
        "ledger",
        "rates",
        "diagnosis",
    ]
    row = found["conditions"][0]["learners"]["lr_scale"]
    assert row["diverged"] == 8
    assert row["members"] == 64
    assert row["final_loss"]["n"] == 7
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


def test_a_verdict_that_its_steps_contradict_names_its_metric() -> None:
    quick = noisy(0.2, 1)
    quick[..., 20:] = 5.0  # first at the threshold, then far above it
    blocks = [threshold(), *trial("lr_scale", quick)]
    sentence = told([*blocks, *trial("sgd_tuned", noisy(0.1, 2))], spec())
    assert "tuned SGD is better in mean loss (" in sentence
