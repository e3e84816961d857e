"""The sentence about searches: every way that a comparison can end."""

import json
import re

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.independent_units import goal_survival, paired_ratio
from engine.stats.inference.comparison import compare_over_tasks
from engine.stats.inference.intervals import Interval
from engine.stats.inference.tail_risk import robustness, tail_mean
from engine.stats.learner_claims import Claim, make_claims
from engine.stats.run_summary import summarize
from engine.stats.search.break_even import break_even
from engine.stats.summaries.comparison_table import make_comparison
from tests.stats.made_up import Array
from tests.stats.made_up_searches import (
    COLD,
    HORIZON,
    RANDOM,
    WARM,
    found_at,
    search_spec,
    searches,
    times,
    trained,
)


def duel(mine: Array, other: Array) -> list[Block]:
    return [*searches("warm", found_at(mine)), *searches("cold", found_at(other))]


def told(blocks: list[Block], run: RunSpec | None = None) -> str:
    return str(summarize(blocks, run or search_spec())["sentence"])


def headline(blocks: list[Block], run: RunSpec | None = None) -> str:
    return str(summarize(blocks, run or search_spec())["headline"])


def test_the_verdict_on_a_better_strategy_has_regret_and_evaluations() -> None:
    blocks = duel(times(20, 1), times(50, 2))
    assert headline(blocks) == "Warm is better than cold in regret on nk landscape."
    sentence = told(blocks)
    assert "Mean regret (points): warm " in sentence
    assert "points (95 % interval, n = 60 searches)." in sentence
    assert sentence.endswith(" Measured over 60 searches.")
    found = re.search(
        r"Evaluations to the best 1 %: (\d+) \[(\d+), (\d+)\] against (\d+) \[",
        sentence,
    )
    assert found
    ours, low, high, theirs = (int(number) for number in found.groups())
    assert low <= ours <= high < theirs


def test_a_worse_strategy_gets_a_verdict_too() -> None:
    assert headline(duel(times(50, 1), times(20, 2))).startswith("Warm is worse than c")


def test_alike_strategies_cannot_be_told_apart() -> None:
    assert headline(duel(times(30, 1), times(30, 2))) == (
        "Can't tell yet whether warm beats cold in regret on nk landscape."
    )


def test_the_verdict_names_searches_that_missed_the_goal() -> None:
    mine = np.full((1, 60), 10.0)
    other = np.where(np.arange(60) % 4 == 0, HORIZON + 1.0, 20.0)[None]
    assert "(100 % and 75 % of the searches reached it)" in told(duel(mine, other))


def test_the_verdict_compares_with_random_search_and_the_main_rival() -> None:
    blocks = duel(times(20, 1), times(40, 2))
    blocks += searches("random_search", found_at(times(80, 3)))
    run = search_spec(WARM, COLD, RANDOM, rival="cold")
    assert headline(blocks, run).startswith("Warm is better than cold in regret")
    assert " Warm is better than random search. " in told(blocks, run)


def test_the_verdict_has_source_evaluations_and_the_targets_that_pay_them_back() -> (
    None
):
    blocks = duel(np.full((1, 60), 20.0), np.full((1, 60), 50.0))
    sentence = told([*blocks, trained("warm", 3000.0)])
    assert "Warm took 3,000 evaluations beforehand, paid back after 100 t" in sentence


def test_a_single_search_is_paid_back_without_an_interval() -> None:
    blocks = duel(np.full((1, 1), 20.0), np.full((1, 1), 50.0))
    sentence = told([*blocks, trained("warm", 3000.0)])
    assert "beforehand, paid back after 100 targets. " in sentence


def test_what_every_chosen_strategy_spent_beforehand_is_told() -> None:
    also = WARM.model_copy(update={"label": "also"})
    blocks = duel(np.full((1, 60), 20.0), np.full((1, 60), 50.0))
    blocks += [*searches("also", found_at(np.full((1, 60), 20.0)))]
    blocks += [trained("warm", 3000.0), trained("also", 1500.0)]
    sentence = told(blocks, search_spec(WARM, also, COLD))
    assert "Warm took 3,000 evaluations beforehand, paid back after 100 t" in sentence
    assert "Also took 1,500 evaluations beforehand, paid back after 50 t" in sentence


def test_a_training_that_saves_nothing_is_never_paid_back() -> None:
    blocks = [*duel(times(50, 1), times(20, 2)), trained("warm", 3000.0)]
    assert "which no number of targets pays back" in told(blocks)


def test_the_verdict_names_a_single_meta_training() -> None:
    blocks = duel(times(20, 1), times(50, 2))
    assert "one training" not in told(blocks)
    assert "Compared over 60 searches of one training;" in told(
        [*blocks, trained("warm", 100.0)]
    )


def test_the_data_sets_are_named() -> None:
    family = Choice(
        name="mosaic", knobs={"goal": 0.01, "target": "wine", "source": "the others"}
    )
    blocks = duel(times(20, 1), times(50, 2))
    assert headline(blocks, search_spec(family=family)).endswith("on mosaic (wine).")
    also = told([*blocks, trained("warm", 9.0)], search_spec(family=family))
    assert "over 1 training (source: the others) with 60 searches." in also


def test_the_family_has_its_title() -> None:
    blocks = duel(times(20, 1), times(50, 2))
    found = summarize(blocks, search_spec(), titles={"nk_landscape": "NK landscapes"})
    assert str(found["headline"]).endswith(" in regret on NK landscapes.")


@pytest.mark.parametrize("learners", [(WARM,), (COLD,)])
def test_one_sided_runs_have_no_verdict(learners: tuple) -> None:
    assert "no verdict" in told(
        duel(times(20, 1), times(50, 2)), search_spec(*learners)
    )


# --- what varies freely ---------------------------------------------------------


def claim(blocks: list[Block], metric: str = "regret_area") -> Claim:
    run = search_spec(replicates=4)
    return next(
        c for c in make_claims(BlockTable(blocks), run, None) if c.metric == metric
    )


def test_untrained_strategies_are_compared_over_all_searches() -> None:
    mine, other = times(20, 1, 4, 15), times(30, 2, 4, 15)
    found = claim(duel(mine, other))
    rows = [found_at(t).mean(-1).reshape(1, -1) for t in (mine, other)]
    ends = compare_over_tasks(*rows).interval(0.05)
    assert found.over == "searches"
    assert (found.low, found.high) == pytest.approx(ends)
    assert (found.n_replicates, found.n_tasks) == (4, 15)


def test_a_trained_strategy_is_compared_over_its_trainings() -> None:
    mine, other = times(20, 1, 4, 15), times(30, 2, 4, 15)
    found = claim([*duel(mine, other), trained("warm", 9.0)])
    assert found.over == "replicates"
    assert found.high - found.low != pytest.approx(
        claim(duel(mine, other)).high - claim(duel(mine, other)).low
    )


def test_pooled_intervals_hold_what_they_promise() -> None:
    """A test of the 95 % over many comparisons whose truth is no difference."""
    held = 0
    for seed in range(200):
        rows = np.random.default_rng(seed).exponential(1.0, (2, 1, 150))
        low, high = compare_over_tasks(rows[0], rows[1]).interval(0.05)
        held += low <= 0.0 <= high
    assert held >= 184


# --- evaluations to the goal ----------------------------------------------------


def test_waiting_searches_are_kaplan_and_meiers() -> None:
    first = times(60, 5)
    table = BlockTable(searches("warm", found_at(first)))
    curve = goal_survival(table, search_spec(), "warm")
    assert curve is not None
    got = np.minimum(first, HORIZON).ravel()
    fitted = KaplanMeierFitter().fit(got, (first <= HORIZON).ravel())
    truth = fitted.survival_function_at_times(curve.step).to_numpy()
    np.testing.assert_allclose(curve.share, truth, atol=1e-12)
    mean = restricted_mean_survival_time(fitted, t=HORIZON)
    rmst = table.test_values("warm", "evaluations_to_goal")
    assert rmst is not None and rmst.mean() == pytest.approx(mean)


def test_a_moved_goal_is_read_off_the_traces() -> None:
    regret = np.linspace(0.5, 0.0, HORIZON)[None, None]
    moved = BlockTable(searches("warm", regret)).with_threshold(
        float(np.float32(regret[0, 0, 9]))
    )
    step, reached = (
        moved.test_values("warm", name) for name in ("evaluations_to_goal", "reached")
    )
    assert step is not None and reached is not None
    assert (step.item(), reached.item()) == (10.0, 1.0)


def test_a_moved_goal_is_named_in_the_verdict() -> None:
    blocks = duel(times(20, 1), times(50, 2))
    moved = summarize(blocks, search_spec(), threshold=0.005)
    assert "Evaluations to a regret of 0.5 points: " in str(moved["sentence"])
    assert "the best 1 %" not in str(moved["sentence"])


def test_a_goal_that_is_never_reached_takes_the_whole_horizon() -> None:
    moved = BlockTable(searches("warm", np.full((1, 1, HORIZON), 0.5))).with_threshold(
        0.4
    )
    step = moved.test_values("warm", "evaluations_to_goal")
    assert step is not None and step.item() == HORIZON


def test_a_doubled_speed_is_found_and_equal_speeds_are_one() -> None:
    slow = times(30, 8, 1, 400)
    twice = paired_ratio(2.0 * slow, slow, trained=False)
    assert (twice.mean, twice.low, twice.high) == pytest.approx((2.0, 2.0, 2.0))
    other = paired_ratio(times(30, 9, 1, 400), slow, trained=False)
    assert other.low < 1.0 < other.high
    halved = paired_ratio(times(60, 9, 1, 400), slow, trained=False)
    assert halved.low < 2.0 < halved.high


def test_the_interval_of_a_ratio_of_many_tasks_is_the_bootstraps() -> None:
    tasks = 400
    first, second = times(40, 3, 1, tasks), times(20, 4, 1, tasks)
    draw = np.random.default_rng(0)
    at = draw.integers(0, tasks, (4000, tasks))
    drawn = np.log(first[0, at].mean(1) / second[0, at].mean(1))
    low, high = np.exp(np.quantile(drawn, [0.025, 0.975]))
    found = paired_ratio(first, second, trained=False)
    assert found.low == pytest.approx(low, rel=0.06)
    assert found.high == pytest.approx(high, rel=0.06)


def test_saving_thirty_per_target_repays_three_hundred_in_ten_targets() -> None:
    saved = Interval(30.0, 20.0, 60.0, 8)
    assert break_even(300.0, saved)[:3] == (10.0, 5.0, 15.0)
    lost = Interval(-3.0, -9.0, -1.0, 8)
    assert break_even(300.0, lost)[:3] == (float("inf"),) * 3


# --- robustness -------------------------------------------------------------------


def test_the_worst_tenth_is_the_mean_of_the_largest() -> None:
    values = np.random.default_rng(0).permutation(np.arange(100.0))
    assert tail_mean(values) == pytest.approx(np.arange(90.0, 100.0).mean())


def test_the_interval_of_the_spread_holds_the_truth() -> None:
    rows = np.random.default_rng(3).normal(0.0, 2.0, (300, 1))
    found = robustness(rows)
    assert found.sd.low < 2.0 < found.sd.high
    # the mean of a normal's worst tenth is 1.755 standard deviations above
    assert found.worst.low < 3.51 < found.worst.high


def test_searches_of_one_training_are_drawn_with_it() -> None:
    """Two trainings far apart: what varies between them must widen the interval."""
    near = np.random.default_rng(1).normal(0.0, 0.1, (4, 50))
    apart = near + np.array([0.0, 0.0, 0.0, 5.0])[:, None]
    wide, narrow = (robustness(rows).worst for rows in (apart, apart.reshape(-1, 1)))
    assert wide.high - wide.low > 5.0 * (narrow.high - narrow.low)


# --- what is filed ------------------------------------------------------------------


def test_the_summary_is_json_with_intervals_over_searches() -> None:
    summary = summarize(duel(times(20, 1), times(50, 2)), search_spec())
    body = json.loads(json.dumps(summary, allow_nan=False))
    row = body["conditions"][0]["learners"]["warm"]
    assert row["rmst"]["n"] == row["regret_area"]["n"] == 60
    assert row["regret_area"]["low"] < row["regret_area"]["mean"]
    assert row["worst_tenth"]["mean"] > row["regret_area"]["mean"]
    assert {c["metric"] for c in body["claims"]} == {
        "regret_area",
        "evaluations_to_goal",
    }


def test_a_found_best_does_not_drag_the_mean_of_final_regrets_down() -> None:
    regret = found_at(np.array([[50.0, HORIZON + 1.0]]))
    summary = summarize(searches("warm", regret), search_spec(WARM))
    row = summary["conditions"][0]["learners"]["warm"]  # type: ignore[index, call-overload]
    assert row["final_regret"]["mean"] == pytest.approx(0.1)


def test_other_places_are_named_by_their_data_set() -> None:
    tests = tuple(Choice(name="mosaic", knobs={"target": t}) for t in ("wine", "iris"))
    blocks = duel(times(20, 1), times(50, 2))
    for i in (1, 2):
        at = Condition(family=f"mosaic_{i}")
        blocks += searches("warm", found_at(times(20, 3)), at)
        blocks += searches("cold", found_at(times(50, 4)), at)
    sentence = told(blocks, search_spec(test_families=tests))
    assert "Warm against cold: on wine: better; on iris: better." in sentence


def test_the_table_to_paste_is_of_mean_regret_in_points() -> None:
    made = make_comparison(BlockTable(duel(times(20, 1), times(50, 2))), search_spec())
    assert (made.metric, made.unit) == ("mean regret", "%")
    cell = made.rows[0].cells[0]
    mean = found_at(times(20, 1)).mean()
    assert cell is not None and cell.spread.mean == pytest.approx(100 * mean)


def test_a_strategy_without_baselines_gets_a_description_but_no_verdict() -> None:
    assert "Mean regret (points) on nk landscape: warm " in told(
        searches("warm", found_at(times(20, 1))), search_spec(WARM)
    )
