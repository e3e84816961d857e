"""What a run of searches leaves behind as files."""

import csv
import io
from functools import cache

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.metrics import METRICS
from engine.contract.run_spec import Choice
from engine.export import COLUMNS, RunRecord, comparison_csv, comparison_latex
from engine.export.long_format import metrics_rows
from engine.stats.block_table import BlockTable
from engine.stats.inference.intervals import mean_interval
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.summaries.search_table import search_table
from tests.stats.made_up import HERE
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

FAR = Condition(family="mosaic")
TRIED = np.where(np.arange(HORIZON) < 80, np.arange(HORIZON), np.nan)


@cache
def record() -> RunRecord:
    spec = search_spec(
        WARM,
        COLD,
        RANDOM,
        test_families=(Choice(name="mosaic", knobs={"target": "x_1"}),),
    )
    blocks: list[Block] = [trained("warm", 700.0)]
    for i, label in enumerate(("warm", "cold", "random_search")):
        for at in (HERE, FAR):
            first = times(20 * (i + 1), i, 3, 20)
            tried = np.broadcast_to(TRIED, (3, 20, HORIZON))
            blocks += searches(label, found_at(first), at, tried=tried)
    live = Block("warm", "validate", "regret", ("replicate", "step"), np.ones((3, 4)))
    return RunRecord("ab" * 32, spec, [*blocks, live], [], [])


@cache
def rows() -> list[dict[str, object]]:
    made = record()
    return [
        dict(zip(COLUMNS, row, strict=True))
        for row in metrics_rows(made.key, made.spec, made.blocks)
    ]


def of(**wanted: object) -> list[dict[str, object]]:
    return [r for r in rows() if all(r[k] == v for k, v in wanted.items())]


def test_every_metric_of_a_search_is_documented() -> None:
    assert {str(row["metric"]) for row in rows()} <= set(METRICS)


def test_a_search_that_never_found_the_goal_is_censored() -> None:
    found = of(
        metric="evaluations_to_goal", learner="random_search", test_family="none"
    )
    late = [row for row in found if row["status"] == "censored"]
    assert 0 < len(late) < len(found)
    assert {row["value"] for row in late} == {float(HORIZON)}
    assert {r["status"] for r in of(metric="cost_to_goal")} == {"ok", "censored"}


def test_the_number_of_an_architecture_has_no_mean() -> None:
    assert not of(metric="architecture", statistic="mean")
    assert of(metric="signal", statistic="mean")


def test_an_evaluation_that_was_not_paid_is_no_divergence() -> None:
    made = record()
    every = list(metrics_rows(made.key, made.spec, made.blocks, traces=True))
    named = [dict(zip(COLUMNS, row, strict=True)) for row in every]
    gone = [r for r in named if r["metric"] == "architecture" and r["value"] == ""]
    assert gone and {row["status"] for row in gone} == {"unmeasured"}


def test_bands_are_over_all_searches_of_what_was_never_trained() -> None:
    regret = BlockTable(record().blocks).test_values(
        "cold", "regret", HERE, ("replicate", "task", "step")
    )
    assert regret is not None
    for label, units in (("cold", regret.reshape(-1, 1, HORIZON)),):
        truth = mean_interval(units[..., 9])
        (low,) = of(
            metric="regret",
            learner=label,
            statistic="low",
            step=10,
            test_family="none",
            phase="test",
        )
        assert low["value"] == pytest.approx(truth.low)


def test_the_live_view_of_validation_is_no_result() -> None:
    assert not of(phase="validate", metric="regret")


def table() -> list[dict[str, str]]:
    text = comparison_csv(record(), {"warm_evolution": "Warm evolution"}).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_of_searches_has_every_measure_with_what_it_is_over() -> None:
    (warm,) = [
        row
        for row in table()
        if row["learner"] == "warm"
        and row["metric"] == "evaluations_to_goal"
        and row["test_family"] == "none"
    ]
    step = BlockTable(record().blocks).test_values("warm", "evaluations_to_goal")
    assert step is not None
    truth = metric_interval("evaluations_to_goal", step)
    assert float(warm["value"]) == pytest.approx(truth.mean)
    assert float(warm["high_95"]) == pytest.approx(truth.high)
    assert (warm["n"], warm["over"], warm["source_evaluations"]) == (
        "3",
        "trainings",
        "700",
    )
    cold = [row for row in table() if row["learner"] == "cold"]
    assert {(row["n"], row["over"]) for row in cold} == {("60", "searches")}


def test_shares_are_shown_in_points_and_percent() -> None:
    found = {row["metric"]: row["unit"] for row in table()}
    assert (found["regret_area"], found["final_score"]) == ("points", "%")
    lines = search_table(BlockTable(record().blocks), record().spec)
    reached = next(m for m in lines[0].intervals if m.name == "reached")
    assert lines[0].intervals[reached].mean > 50.0


def test_the_table_names_places_by_what_sets_them_apart() -> None:
    assert {row["place"] for row in table()} == {"in distribution", "x_1"}


def test_the_latex_table_compiles_by_eye() -> None:
    text = comparison_latex(record()).decode()
    assert text.count("{") == text.count("}")
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    widths = {line.count(" & ") for line in body.splitlines() if " & " in line}
    assert widths == {5}
    assert r"\emph{x\_1}" in text and "3 trainings" in text and "60 searches" in text
